// SPDX-License-Identifier: Apache-2.0
// Consoles of domains that the stock xl made, at the real xenconsoled, in dom0.
#include "libxl++/console/host_console.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "libxl++/xenstore/host_store.hpp"
#include "tests/xen/stock_domain.hpp"

namespace xl::console {
namespace {

const std::string log_file = "/var/log/xen/console/guest-xl-test-console.log";

class RealConsole : public ::testing::Test {
 protected:
  RealConsole() {
    console_.emplace(*store_, domain_.id(), HostConsole::Log{log_file, log_start_},
                     HostConsole::Hooks{.wake = [this] { wake(); }}, *poll_);
  }
  Console::Listeners::Handle attach() {
    auto handle = console_->attach([this](std::span<const std::byte> bytes) {
      output_ += bytes.empty()
                     ? "<end>"
                     : std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    });
    pump();
    return handle;
  }
  void pump() {
    while (console_->pump().more) {
    }
  }
  bool prints(const std::string& text) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (output_.find(text) == output_.npos) {
      std::unique_lock lock(mutex_);
      if (!wakeup_.wait_until(lock, give_up, [&] { return woken_; })) {
        return false;
      }
      woken_ = false;
      lock.unlock();
      pump();
    }
    return true;
  }
  void type(const std::string& text) {
    ASSERT_TRUE(console_->write(std::as_bytes(std::span(text))));
    pump();
  }

  void wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    wakeup_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable wakeup_;
  bool woken_ = false;
  std::string output_;
  const std::uint64_t log_start_ = HostConsole::log_size(log_file);
  std::unique_ptr<xenstore::HostStore> store_ =
      *xenstore::HostStore::connect("/run/xenstored/socket");
  std::unique_ptr<PtyPoll> poll_ = *PtyPoll::create();
  std::optional<HostConsole> console_;
  fixture::StockDomain domain_{*store_, "xl-test-console", "echo"};  // goes before its console
};

TEST_F(RealConsole, IsSharedWithTheStockOne) {
  {
    const auto handle = attach();
    ASSERT_EQ(domain_.xl("unpause"), 0);
    type("a line\n");
    EXPECT_TRUE(prints("echo: a line")) << output_;
  }
  EXPECT_NE(console_->text().find("a line"), std::string::npos) << console_->text();
  EXPECT_EQ(console_->log_path(), log_file);
  // What it prints while nobody is attached here is the stock console's.
  type("theirs\n");
  fixture::shell("sleep 20 | timeout 20 /usr/sbin/xl console xl-test-console >/tmp/seen &");
  for (int i = 0; i < 200 && fixture::shell("grep -q 'echo: theirs' /tmp/seen") != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  pump();
  EXPECT_EQ(fixture::shell("grep -q 'echo: theirs' /tmp/seen"), 0);
  EXPECT_EQ(output_.find("theirs"), output_.npos);
}

}  // namespace
}  // namespace xl::console
