// SPDX-License-Identifier: Apache-2.0
// Consoles that xenconsoled serves, while their domains live.
#include "tests/console/host_console_fixture.hpp"

namespace xl::console {
namespace {

using fixture::HostConsoleOf;
using fixture::TestPty;

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
