// A queue in which nobody waits for all of another's.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

namespace hongyan::logic {

// Jobs of many askers, each under its name: in order of one asker, and one of each asker in turn. So who has a
// thousand jobs here delays another by one. Bounded in all and of one asker. Not safe for threads.
template <typename Job>
class FairQueue {
 public:
  FairQueue(std::size_t most, std::size_t most_of_one) : most_(most), most_of_one_(most_of_one) {}

  // False: it is full, in all or of this asker, and the job is untouched.
  [[nodiscard]] bool push(std::string asker, Job& job) {
    if (size_ == most_) return false;
    const auto [it, fresh] = lines_.try_emplace(std::move(asker));
    if (it->second.size() == most_of_one_) return false;
    it->second.push_back(std::move(job));
    if (fresh) turns_.push_back(&*it);
    ++size_;
    return true;
  }
  // Not when it is empty.
  [[nodiscard]] Job pop() {
    auto* const line = turns_.front();
    turns_.pop_front();
    Job job = std::move(line->second.front());
    line->second.pop_front();
    --size_;
    if (line->second.empty()) {
      lines_.erase(lines_.find(line->first));
    } else {
      turns_.push_back(line);
    }
    return job;
  }

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  using Lines = std::unordered_map<std::string, std::deque<Job>>;

  const std::size_t most_;
  const std::size_t most_of_one_;
  std::size_t size_ = 0;
  Lines lines_;  // none is empty
  std::deque<typename Lines::value_type*> turns_;
};

}  // namespace hongyan::logic
