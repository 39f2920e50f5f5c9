// Every target with its corpus, and with what comes of it by some thousand changes, the same in each run: a fuzzer for
// every build, with sanitizers and without. The real one is tests/fuzz/run.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "tests/fuzz/target.h"

namespace hongyan::fuzz {
namespace {

constexpr int kChanges = 3000;

std::vector<std::string> corpus_of(std::string_view name) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(HONGYAN_FUZZ_CORPUS) / name)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<std::string> corpus;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return corpus;
}

std::string changed(std::string bytes, const std::vector<std::string>& corpus, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  for (std::size_t i = 0, times = 1 + below(4); i < times; ++i) {
    const std::size_t at = below(bytes.size() + 1);
    switch (below(5)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes.erase(at, below(9));
        break;
      case 2:
        bytes.insert(at, below(5), static_cast<char>(random()));
        break;
      case 3: {  // a piece of another
        const std::string& other = corpus[below(corpus.size())];
        const std::size_t from = below(other.size() + 1);
        bytes.insert(at, other.substr(from, below(64)));
        break;
      }
      case 4:
        if (at < bytes.size())
          bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << below(8)));
        break;
    }
  }
  return bytes;
}

class FuzzTest : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzTest, TakesItsCorpusAndWhatComesOfIt) {
  const auto corpus = corpus_of(GetParam().name);
  ASSERT_FALSE(corpus.empty());
  std::mt19937 random(20260131);
  GetParam().run({});
  for (const std::string& bytes : corpus) GetParam().run(bytes);
  for (int i = 0; i < kChanges; ++i) {
    GetParam().run(changed(corpus[static_cast<std::size_t>(i) % corpus.size()], corpus, random));
  }
}

INSTANTIATE_TEST_SUITE_P(All, FuzzTest, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace hongyan::fuzz
