// SPDX-License-Identifier: Apache-2.0
// What is heard of a domain at its end, whatever xenconsoled has come to by then.
#include "tests/console/host_console_fixture.hpp"

namespace xl::console {
namespace {

using fixture::HostConsoleOf;
using fixture::TestPty;

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

TEST_F(HostConsoleOf, EndsWithWhatCameSinceItWasAttachedWhereOthersHadTheRest) {
  put_in_ring("old, ");
  take_from_ring();
  std::string output;
  const auto handle = attach(output);
  put_in_ring("new");
  console_->end();
  pump();
  EXPECT_EQ(output, "new<end>");
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
  put_in_ring(" now");
  take_from_ring();
  EXPECT_FALSE(is_complete());
  pty.print("bye now");
  ASSERT_TRUE(serve_until([&] { return output == "bye now"; }));
  EXPECT_TRUE(is_complete());
}

TEST_F(HostConsoleOf, LooksAtNoPageForNobody) {
  put_in_ring("unheard");
  console_->end();
  EXPECT_EQ(mapped_, 0U);
}

}  // namespace
}  // namespace xl::console
