// SPDX-License-Identifier: Apache-2.0
// CallbackList: functions that others gave us to call, any number, coming and going at any time.
//
// Thread rule: every function from any thread; one callback is never run twice at once. After its
// Handle is gone it does not run any more: the Handle waits for a run in another thread to end, and
// may go inside its own callback too. A Handle may outlive the list.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace xl::console {

template <typename... Args>
class CallbackList {
 public:
  using Function = std::function<void(Args...)>;

  class Entry {
   public:
    explicit Entry(Function function) : function_(std::move(function)) {}

    void call(Args... args) {
      const std::lock_guard lock(mutex_);
      if (is_active_) {
        function_(args...);
      }
    }
    bool is_active() {
      const std::lock_guard lock(mutex_);
      return is_active_;
    }
    void end() {
      const std::lock_guard lock(mutex_);
      is_active_ = false;
    }

   private:
    std::recursive_mutex mutex_;  // recursive: end() inside the callback
    Function function_;
    bool is_active_ = true;
  };

  class [[nodiscard]] Handle {
   public:
    explicit Handle(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
    Handle(Handle&&) noexcept = default;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
      if (entry_ != nullptr) {
        entry_->end();
      }
    }

   private:
    std::shared_ptr<Entry> entry_;
  };

  void add(std::shared_ptr<Entry> entry) {
    const std::lock_guard lock(mutex_);
    entries_.push_back(std::move(entry));
  }

  // Whether there is one that has not ended.
  bool any() { return !current().empty(); }

  void call(Args... args) {
    for (const auto& entry : current()) {
      entry->call(args...);
    }
  }

 private:
  // A copy, so that no lock of the list is held while callbacks run. Drops those that have ended.
  std::vector<std::shared_ptr<Entry>> current() {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [](const auto& entry) { return !entry->is_active(); });
    return entries_;
  }

  std::mutex mutex_;
  std::vector<std::shared_ptr<Entry>> entries_;
};

}  // namespace xl::console
