// SPDX-License-Identifier: Apache-2.0
// Limbo<P>: frames that a living domain gave up and that some CPU may still be copying from or to.
// They wait here for a grace period. Linked through their own first word, so it costs nothing. The
// caller locks.
#pragma once

#include <cstdint>

#include "hypervisor/core/platform.hpp"

namespace hyp {

template <typename P>
class Limbo {
 public:
  bool empty() const { return count_ == 0; }
  std::uint64_t count() const { return count_; }

  void add(P& platform, Mfn mfn) {
    link(platform, mfn) = head_.value();
    head_ = mfn;
    ++count_;
  }
  Mfn take(P& platform) {
    const Mfn mfn = head_;
    head_ = Mfn(link(platform, mfn));
    --count_;
    return mfn;
  }
  Limbo take_all() {
    const Limbo all = *this;
    *this = Limbo();
    return all;
  }

 private:
  static std::uint64_t& link(P& platform, Mfn mfn) {
    // SAFETY: a whole frame, aligned, that no guest maps any more.
    return *reinterpret_cast<std::uint64_t*>(platform.frame(mfn));
  }

  Mfn head_{};
  std::uint64_t count_ = 0;
};

}  // namespace hyp
