// SPDX-License-Identifier: Apache-2.0
// A console behind a pty, with the test as the xenconsoled at its other end, as the guest and as
// the event thread.
#pragma once

#include "libxl++/console/host_console.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <unistd.h>
#include <xen/io/console.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libxl++/xenstore/server.hpp"

namespace xl::console::fixture {

// A pty as xenconsoled makes it: both ends stay open.
struct TestPty {
  TestPty() {
    int master_fd = -1;
    int slave_fd = -1;
    std::array<char, 100> path{};
    EXPECT_EQ(::openpty(&master_fd, &slave_fd, path.data(), nullptr, nullptr), 0);
    master.reset(master_fd);
    slave.reset(slave_fd);
    name = path.data();
  }
  void print(const std::string& text) const {
    EXPECT_EQ(::write(master.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // What arrives within the time.
  std::string read(int milliseconds = 5000) const {
    pollfd wanted{master.get(), POLLIN, 0};
    std::array<char, 4096> bytes;
    if (::poll(&wanted, 1, milliseconds) != 1) {
      return {};
    }
    const ssize_t count = ::read(master.get(), bytes.data(), bytes.size());
    return {bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }

  UniqueFd master;
  UniqueFd slave;
  std::string name;
};

class HostConsoleOf : public ::testing::Test {
 protected:
  HostConsoleOf() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-console-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    serve();
  }
  ~HostConsoleOf() override {
    console_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  void serve() {
    console_ = std::make_unique<HostConsole>(store_, DomId(5),
                                             HostConsole::Log{log(), HostConsole::log_size(log())},
                                             HostConsole::Hooks{
                                                 [this] {
                                                   const std::lock_guard lock(mutex_);
                                                   woken_ = true;
                                                   wakeup_.notify_all();
                                                 },
                                                 [this] { return map_page(); },
                                             },
                                             *poll_);
  }
  Result<hv::GuestMapping> map_page() {
    ++mapped_;
    if (page_.empty()) {
      return fail(ErrorCode::not_found, "no such domain");
    }
    return hv::GuestMapping({{Gfn(1), std::as_writable_bytes(std::span(page_))}}, nullptr);
  }
  void put_in_ring(const std::string& text) {
    page_.resize(page_size / sizeof(std::uint32_t));
    auto* ring = reinterpret_cast<xencons_interface*>(page_.data());
    for (const char c : text) {
      ring->out[MASK_XENCONS_IDX(ring->out_prod++, ring->out)] = c;
    }
  }
  bool is_complete() {
    bool complete = false;
    for (int look = 0; look < 5; ++look) {
      complete = console_->ending().complete;
    }
    return complete;
  }
  // As xenconsoled: takes all that is in the ring.
  void take_from_ring() {
    auto* ring = reinterpret_cast<xencons_interface*>(page_.data());
    ring->out_cons = ring->out_prod;
  }
  std::string log() const { return directory_ + "/guest-it.log"; }
  void name_tty(const std::string& path) {
    const xenstore::NodeSpec node{"/local/domain/5/console/tty", path, nullptr};
    ASSERT_TRUE(store_.write(std::span(&node, 1)));
  }
  Console::Listeners::Handle attach(std::string& output) {
    auto handle = console_->attach([&output](std::span<const std::byte> bytes) {
      output += bytes.empty()
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
  // As the event thread does: pumps when woken, until it is so.
  template <typename Condition>
  bool serve_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
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
  void write(const std::string& text) {
    ASSERT_TRUE(console_->write(std::as_bytes(std::span(text))));
    pump();
  }

  std::string directory_;
  std::vector<std::uint32_t> page_;  // empty: there is none
  unsigned mapped_ = 0;
  xenstore::Server store_;
  std::unique_ptr<PtyPoll> poll_ = *PtyPoll::create();
  std::mutex mutex_;
  std::condition_variable wakeup_;
  bool woken_ = false;
  std::unique_ptr<HostConsole> console_;
};

}  // namespace xl::console::fixture
