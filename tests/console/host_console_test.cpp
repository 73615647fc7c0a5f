// SPDX-License-Identifier: Apache-2.0
// A console behind a pty, with the test as the xenconsoled at its other end, and as the event
// thread.
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

namespace xl::console {
namespace {

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

TEST_F(HostConsoleOf, GivesWhatComesAndWhatCame) {
  const TestPty pty;
  name_tty(pty.name);
  std::string first;
  std::string second;
  const auto one = attach(first);
  pty.print("before\r\n");
  ASSERT_TRUE(serve_until([&] { return first == "before\r\n"; }));
  const auto two = attach(second);
  EXPECT_EQ(second, "before\r\n");
  pty.print("after");
  ASSERT_TRUE(serve_until([&] { return second == "before\r\nafter"; }));
  EXPECT_EQ(first, second);
  EXPECT_EQ(console_->text(), first);
  EXPECT_EQ(console_->log_path(), "");
}

TEST_F(HostConsoleOf, WaitsForXenconsoledToNameThePty) {
  const TestPty pty;
  pty.print("early");
  std::string output;
  const auto handle = attach(output);
  name_tty("");
  name_tty(pty.name);
  EXPECT_TRUE(serve_until([&] { return output == "early"; }));
}

// What nobody here wants is another's.
TEST_F(HostConsoleOf, ReadsNothingWhileNobodyIsAttached) {
  const TestPty pty;
  name_tty(pty.name);
  std::string output;
  {
    const auto handle = attach(output);
    pty.print("mine");
    ASSERT_TRUE(serve_until([&] { return output == "mine"; }));
  }
  pty.print("yours");
  pump();
  std::array<char, 100> bytes;
  ASSERT_EQ(::read(pty.slave.get(), bytes.data(), bytes.size()), 5);
  EXPECT_EQ(std::string(bytes.data(), 5), "yours");
  EXPECT_EQ(output, "mine");
}

TEST_F(HostConsoleOf, PassesInputOnAsItIsWithoutEcho) {
  const TestPty pty;
  name_tty(pty.name);
  std::string output;
  const auto handle = attach(output);
  write("ls\r\x03\x04\n");
  EXPECT_EQ(pty.read(), "ls\r\x03\x04\n");
  EXPECT_EQ(pty.read(50), "") << "an echo";
  EXPECT_EQ(output, "");
}

TEST_F(HostConsoleOf, TakesInputWhileNobodyIsAttachedAndBeforeThereIsAPty) {
  const TestPty pty;
  write("one");
  name_tty(pty.name);
  ASSERT_TRUE(serve_until([&] { return pty.read(0) == "one"; }));
  pty.print("not ours");
  write("two");
  EXPECT_EQ(pty.read(), "two");
  EXPECT_EQ(console_->text(), "");
}

TEST_F(HostConsoleOf, RefusesMoreInputThanTheDomainTakes) {
  const std::string much(input_limit, 'x');
  ASSERT_TRUE(console_->write(std::as_bytes(std::span(much))));
  const auto refused = console_->write(std::as_bytes(std::span(much)).first(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, ErrorId::console_full);
  const TestPty pty;
  name_tty(pty.name);
  pump();
  std::string arrived;
  EXPECT_TRUE(serve_until([&] {
    arrived += pty.read(0);
    const std::lock_guard lock(mutex_);
    woken_ = woken_ || arrived.size() < much.size();
    return arrived.size() == much.size();
  }));
}

TEST_F(HostConsoleOf, GoesOnWithTheNextPtyWhereOneBreaks) {
  auto pty = std::make_unique<TestPty>();
  name_tty(pty->name);
  std::string output;
  const auto handle = attach(output);
  pty->print("one ");
  ASSERT_TRUE(serve_until([&] { return output == "one "; }));
  auto next = std::make_unique<TestPty>();
  pty.reset();
  pump();
  name_tty(next->name);
  next->print("two");
  ASSERT_TRUE(serve_until([&] { return output == "one two"; }));
  EXPECT_TRUE(console_->write({}));
}

TEST_F(HostConsoleOf, EndsWithTheRestOfTheOutput) {
  const TestPty pty;
  name_tty(pty.name);
  std::string output;
  std::string late;
  std::string later;
  const auto handle = attach(output);
  pty.print("the last words");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  console_->end();
  EXPECT_EQ(console_->text(), "the last words");
  const auto second = attach(late);
  EXPECT_EQ(output, "the last words<end>");
  EXPECT_EQ(late, output);
  const auto third = attach(later);
  EXPECT_EQ(later, output);
  EXPECT_EQ(console_->write({}).error().id, ErrorId::console_ended);
  console_->end();
  pump();
  EXPECT_EQ(output, "the last words<end>");
}

TEST_F(HostConsoleOf, EndsWithoutEverHavingHadAPty) {
  std::string output;
  const auto handle = attach(output);
  console_->end();
  pump();
  EXPECT_EQ(output, "<end>");
}

TEST_F(HostConsoleOf, EndsWithWhatTheRingHasWhereThereNeverWasAPty) {
  put_in_ring("all of it\r\n");
  std::string output;
  const auto handle = attach(output);
  console_->end();
  pump();
  EXPECT_EQ(output, "all of it\r\n<end>");
  EXPECT_EQ(console_->text(), "all of it\r\n");
}

TEST_F(HostConsoleOf, EndsWithWhatCameThroughThePtyAndTheRestOfTheRing) {
  const TestPty pty;
  name_tty(pty.name);
  std::string output;
  const auto handle = attach(output);
  put_in_ring("one two three");
  pty.print("one ");
  ASSERT_TRUE(serve_until([&] { return output == "one "; }));
  pty.print("two ");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  console_->end();
  pump();
  EXPECT_EQ(output, "one two three<end>");
}

TEST_F(HostConsoleOf, EndsWithNothingTwiceWhereOthersHaveReadToo) {
  const TestPty pty;
  name_tty(pty.name);
  std::string output;
  put_in_ring("theirs, ours, ");
  const auto handle = attach(output);
  pty.print("ours, ");
  ASSERT_TRUE(serve_until([&] { return output == "ours, "; }));
  EXPECT_FALSE(is_complete());
  console_->end();
  pump();
  EXPECT_EQ(output, "ours, <end>");
}

TEST_F(HostConsoleOf, IsCompleteWhenAllHaveHadAllOfIt) {
  const TestPty pty;
  name_tty(pty.name);
  put_in_ring("bye");
  EXPECT_FALSE(is_complete());
  EXPECT_EQ(console_->ending().text, "bye");
  take_from_ring();
  EXPECT_FALSE(console_->ending().complete) << "others may be reading";
  EXPECT_TRUE(is_complete()) << "nobody is attached";
  std::string output;
  const auto handle = attach(output);
  EXPECT_FALSE(is_complete());
  pty.print("bye");
  ASSERT_TRUE(serve_until([&] { return output == "bye"; }));
  EXPECT_TRUE(is_complete());
}

TEST_F(HostConsoleOf, LooksAtNoPageForNobody) {
  put_in_ring("unheard");
  console_->end();
  EXPECT_EQ(mapped_, 0U);
}

TEST_F(HostConsoleOf, ShowsItsOwnPartOfTheLog) {
  std::ofstream(log()) << "an earlier domain of the name\n";
  serve();
  std::ofstream(log(), std::ios::app) << "this one\n";
  EXPECT_EQ(console_->text(), "this one\n");
  EXPECT_EQ(console_->log_path(), log());
  std::ofstream(log()) << "rotated\n";
  EXPECT_EQ(console_->text(), "rotated\n");
  console_->end();
  EXPECT_EQ(console_->text(), "rotated\n");
}

TEST_F(HostConsoleOf, TakesNoFileForAPty) {
  const std::string file = directory_ + "/file";
  std::ofstream(file) << "secret";
  name_tty(file);
  std::string output;
  const auto handle = attach(output);
  write("input");
  EXPECT_EQ(output, "");
  EXPECT_EQ(std::filesystem::file_size(file), 6U);
}

TEST(PtyPollOf, ManyConsolesTellsEachOfItsOwn) {
  const auto poll = *PtyPoll::create();
  std::vector<TestPty> ptys(20);
  std::vector<std::atomic<unsigned>> calls(20);
  std::vector<std::unique_ptr<PtyPoll::Registration>> registrations;
  for (std::size_t i = 0; i < ptys.size(); ++i) {
    registrations.push_back(*poll->add(ptys[i].slave.get(), [&calls, i] { ++calls[i]; }));
    registrations.back()->arm(false);
  }
  for (std::size_t i = 0; i < ptys.size(); i += 2) {
    ptys[i].print("x\n");
  }
  for (int i = 0; i < 5000 && calls[18] == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (std::size_t i = 0; i < ptys.size(); ++i) {
    EXPECT_EQ(calls[i], i % 2 == 0 ? 1U : 0U) << i;
  }
  registrations.clear();
  ptys[1].print("nobody hears\n");
}

}  // namespace
}  // namespace xl::console
