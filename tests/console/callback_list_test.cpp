// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/callback_list.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace xl::console {
namespace {

using List = CallbackList<int>;

List::Handle add(List& list, List::Function function) {
  auto entry = std::make_shared<List::Entry>(std::move(function));
  list.add(entry);
  return List::Handle(std::move(entry));
}

TEST(Callbacks, RunInTheOrderTheyCame) {
  List list;
  std::vector<int> heard;
  auto first = add(list, [&](int value) { heard.push_back(value); });
  auto second = add(list, [&](int value) { heard.push_back(value * 10); });
  list.call(1);
  EXPECT_EQ(heard, (std::vector<int>{1, 10}));
}

TEST(Callbacks, DoNotRunOnceTheirHandleIsGone) {
  List list;
  int calls = 0;
  {
    auto handle = add(list, [&](int) { ++calls; });
  }
  list.call(1);
  EXPECT_EQ(calls, 0);
}

TEST(Callbacks, MayEndThemselves) {
  List list;
  int calls = 0;
  std::unique_ptr<List::Handle> handle;
  handle = std::make_unique<List::Handle>(add(list, [&](int) {
    ++calls;
    handle.reset();
  }));
  list.call(1);
  list.call(2);
  EXPECT_EQ(calls, 1);
}

// What a callback refers to may go right after its handle.
TEST(Callbacks, AreWaitedForByTheirHandle) {
  List list;
  std::mutex mutex;
  std::condition_variable changed;
  bool inside = false;
  std::atomic<bool> over{false};
  std::unique_ptr<List::Handle> handle;
  handle = std::make_unique<List::Handle>(add(list, [&](int) {
    {
      const std::lock_guard lock(mutex);
      inside = true;
    }
    changed.notify_all();
    for (int i = 0; i < 1000; ++i) {
      std::this_thread::yield();
    }
    over = true;
  }));
  std::thread caller([&] { list.call(1); });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside; });
  }
  handle.reset();
  EXPECT_TRUE(over);
  caller.join();
}

}  // namespace
}  // namespace xl::console
