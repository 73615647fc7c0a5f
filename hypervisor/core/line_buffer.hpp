// SPDX-License-Identifier: Apache-2.0
// LineBuffer: collects what a guest prints until a line is whole or the buffer is full.
// Freestanding.
#pragma once

#include <cstddef>

#include "hypervisor/core/spinlock.hpp"

namespace hyp {

template <typename P>
class LineBuffer {
 public:
  // `line(const char*, size)` gets each finished line, without its end.
  template <typename Line>
  void put(char c, Line&& line) {
    Guard guard(lock_);
    if (c != '\n' && c != '\r' && c != '\0') {
      text_[size_++] = c;
    }
    if (c == '\n' || size_ == sizeof text_) {
      line(text_, size_);
      size_ = 0;
    }
  }

 private:
  SpinLock<P> lock_;
  std::size_t size_ = 0;
  char text_[128] = {};
};

}  // namespace hyp
