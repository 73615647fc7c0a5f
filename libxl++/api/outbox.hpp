// SPDX-License-Identifier: Apache-2.0
// Outbox: bytes on their way to one slow reader. Filled by any thread without waiting, emptied by
// the server's thread; what does not fit is counted, not kept.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace xl::api {

class Outbox {
 public:
  // `wake` is called, from the filling thread, when there is something to take and nobody was told.
  Outbox(std::size_t limit, std::function<void()> wake) : limit_(limit), wake_(std::move(wake)) {}

  void put(std::string_view bytes) {
    add([&] {
      if (waiting_.size() + bytes.size() > limit_) {
        lost_ += bytes.size();
      } else {
        waiting_.append(bytes);
      }
    });
  }
  void end() {
    add([&] { ended_ = true; });
  }

  struct Taken {
    std::string bytes;
    std::size_t lost = 0;  // bytes that did not fit, after `bytes`
    bool ended = false;
  };
  // All there is; the next put wakes again.
  Taken take() {
    const std::lock_guard lock(mutex_);
    told_ = false;
    return {std::exchange(waiting_, {}), std::exchange(lost_, 0), ended_};
  }

 private:
  template <typename Change>
  void add(Change change) {
    bool tell = false;
    {
      const std::lock_guard lock(mutex_);
      change();
      tell = !std::exchange(told_, true);
    }
    if (tell) {
      wake_();
    }
  }

  const std::size_t limit_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::string waiting_;
  std::size_t lost_ = 0;
  bool told_ = false;
  bool ended_ = false;
};

}  // namespace xl::api
