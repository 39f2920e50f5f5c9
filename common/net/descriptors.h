// File descriptors: how many the process may have.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hongyan::net {

// Raises the process's limit as far as it may by itself (the soft limit to the hard one); returns it. Any thread.
std::size_t raise_descriptor_limit() noexcept;

// One that is kept so that it can be had when there is no other. One thread.
class SpareDescriptor {
 public:
  SpareDescriptor() noexcept { take(); }
  ~SpareDescriptor() { give(); }
  SpareDescriptor(const SpareDescriptor&) = delete;
  SpareDescriptor& operator=(const SpareDescriptor&) = delete;

  // False: there is none to keep now.
  bool take() noexcept;
  void give() noexcept;

 private:
  int descriptor_ = -1;
};

}  // namespace hongyan::net
