// SPDX-License-Identifier: Apache-2.0
// ScopeExit runs its function when it goes, unless released: the undo step of an operation that may
// yet fail.
#pragma once

#include <utility>

namespace xl {

template <typename Function>
class [[nodiscard]] ScopeExit {
 public:
  explicit ScopeExit(Function function) : function_(std::move(function)) {}
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;
  ~ScopeExit() {
    if (armed_) {
      function_();
    }
  }
  void release() { armed_ = false; }

 private:
  Function function_;
  bool armed_ = true;
};

}  // namespace xl
