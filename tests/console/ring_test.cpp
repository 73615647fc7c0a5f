// SPDX-License-Identifier: Apache-2.0
// The console's ring with the test as the guest: honest, full, and hostile.
#include "libxl++/console/ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <string>

#include "libxl++/console/ring_snapshot.hpp"

#include <xen/io/console.h>  // after the integer types that it presumes

namespace xl::console {
namespace {

class ConsoleRing : public ::testing::Test {
 protected:
  xencons_interface& page() { return *reinterpret_cast<xencons_interface*>(page_.data()); }
  void print(const std::string& text) {
    for (const char c : text) {
      page().out[MASK_XENCONS_IDX(page().out_prod++, page().out)] = c;
    }
  }
  std::string taken() { return taken_by(ring_); }
  std::string taken_by(Ring& ring) {
    const Ring::Read read = ring.peek_output(buffer_);
    notified_ = read.notify || (read.count != 0 && ring.take_output(read.count));
    return {reinterpret_cast<const char*>(buffer_.data()), read.count};
  }
  std::size_t give(const std::string& text) {
    return ring_.write_input(std::as_bytes(std::span(text)));
  }

  alignas(4096) std::array<std::byte, 4096> page_{};
  std::array<std::byte, Ring::output_size> buffer_{};
  Ring ring_{page_};
  bool notified_ = false;
};

TEST_F(ConsoleRing, GivesWhatTheGuestPrinted) {
  print("hello");
  EXPECT_EQ(taken(), "hello");
  EXPECT_FALSE(notified_) << "an event costs the guest dearly, and it waits for none";
  EXPECT_EQ(taken(), "");
}

TEST_F(ConsoleRing, NotifiesAGuestThatFoundItFull) {
  print(std::string(Ring::output_size, 'x'));
  EXPECT_EQ(taken().size(), Ring::output_size);
  EXPECT_TRUE(notified_);
}

TEST_F(ConsoleRing, Wraps) {
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const std::string text = std::string(1000, 'a') + std::to_string(i);
    print(text);
    EXPECT_EQ(taken(), text);
  }
}

TEST_F(ConsoleRing, StartsWhereAnEarlierServerStopped) {
  print("old");
  page().out_cons = 2;
  Ring later(page_);
  EXPECT_EQ(taken_by(later), "d");
}

TEST_F(ConsoleRing, KeepsWhatWasSeenUntilItIsTaken) {
  print("seen");
  EXPECT_EQ(ring_.peek_output(buffer_).count, 4U);
  EXPECT_EQ(page().out_cons, 0U);
  EXPECT_EQ(taken(), "seen");
  EXPECT_EQ(page().out_cons, 4U);
}

// The server before was killed between keeping what it saw and taking it out: the page is behind.
TEST_F(ConsoleRing, StartsWhereAnEarlierServerSaysThatItStopped) {
  print("old new");
  Ring later(page_, 4);
  EXPECT_EQ(page().out_cons, 4U) << "the guest may wait for that room";
  EXPECT_EQ(taken_by(later), "new");
}

TEST_F(ConsoleRing, StartsWhereThePageSaysIfTheEarlierServersWordMakesNoSense) {
  print("old");
  page().out_cons = 2;
  Ring later(page_, 5000);
  EXPECT_EQ(taken_by(later), "d");
}

TEST_F(ConsoleRing, TakesInputAsFarAsThereIsRoom) {
  EXPECT_EQ(give("ls\n"), 3U);
  EXPECT_EQ(std::string(page().in, 3), "ls\n");
  EXPECT_EQ(give(std::string(2000, 'x')), Ring::input_size - 3);
  EXPECT_EQ(give("x"), 0U);
  page().in_cons += 10;
  EXPECT_EQ(give(std::string(2000, 'x')), 10U);
}

TEST_F(ConsoleRing, LosesABadIndexAndGoesOn) {
  page().out_prod = 5000;
  EXPECT_EQ(taken(), "");
  EXPECT_EQ(ring_.bad_indexes(), 1U);
  print("good again");
  EXPECT_EQ(taken(), "good again");
  page().in_cons = 77777;
  EXPECT_EQ(give("x"), 0U);
  EXPECT_EQ(ring_.bad_indexes(), 2U);
}

TEST_F(ConsoleRing, NeverGivesMoreThanItHoldsWhateverThePageSays) {
  std::mt19937 random(1);
  for (int i = 0; i < 100000; ++i) {
    page().out_prod = static_cast<std::uint32_t>(random());
    page().out_cons = static_cast<std::uint32_t>(random());
    page().in_cons = static_cast<std::uint32_t>(random());
    EXPECT_LE(taken().size(), Ring::output_size);
    EXPECT_LE(give(std::string(random() % 3000, 'x')), Ring::input_size);
  }
}

// --- a ring that another process serves ---

TEST_F(ConsoleRing, IsSeenWithWhatWasTakenAlready) {
  EXPECT_TRUE(RingSnapshot::of(page_).is_drained());
  EXPECT_EQ(RingSnapshot::of(page_).last, "");
  print(std::string(2000, 'x') + "end of ");
  (void)taken();
  print("the output that wraps around");
  const RingSnapshot ring = RingSnapshot::of(page_);
  EXPECT_FALSE(ring.is_drained());
  EXPECT_EQ(ring.last.size(), 2035U);
  EXPECT_TRUE(ring.last.ends_with("end of the output that wraps around"));
  (void)taken();
  EXPECT_TRUE(RingSnapshot::of(page_).is_drained());
  print(std::string(100, 'y'));
  EXPECT_EQ(RingSnapshot::of(page_).last.size(), Ring::output_size);
}

TEST_F(ConsoleRing, GivesTheRestToWhoHasHadTheStart) {
  print("one two three");
  const RingSnapshot ring = RingSnapshot::of(page_);
  EXPECT_EQ(ring.rest(0, ""), "one two three");
  EXPECT_EQ(ring.rest(4, "one "), "two three");
  EXPECT_EQ(ring.rest(4, "ne "), "two three") << "the start of what was had may be forgotten";
  EXPECT_EQ(ring.rest(13, "one two three"), "");
  EXPECT_EQ(ring.rest(4, "two "), "") << "others had the start";
  EXPECT_EQ(ring.rest(14, "one two three "), "");
}

TEST_F(ConsoleRing, IsSeenWithinItsBoundsWhateverThePageSays) {
  std::mt19937 random(1);
  for (int i = 0; i < 100000; ++i) {
    page().out_prod = static_cast<std::uint32_t>(random());
    page().out_cons = static_cast<std::uint32_t>(random());
    const RingSnapshot ring = RingSnapshot::of(page_);
    EXPECT_LE(ring.last.size(), Ring::output_size);
    EXPECT_LE(ring.rest(static_cast<std::uint32_t>(random()), "x").size(), Ring::output_size);
  }
}

}  // namespace
}  // namespace xl::console
