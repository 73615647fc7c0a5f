// SPDX-License-Identifier: Apache-2.0
// A console over a page with the test as the guest, and its daemon killed at each step of serving
// it: nothing that was printed is lost or doubled, in the history or in the log.
#include "libxl++/console/ring_console.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <xen/io/console.h>  // after the integer types that it presumes

namespace xl::console {
namespace {

class ConsoleOf : public ::testing::Test {
 protected:
  ConsoleOf() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-console-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~ConsoleOf() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  xencons_interface& page() { return *reinterpret_cast<xencons_interface*>(page_.data()); }
  void print(const std::string& text) {
    for (const char c : text) {
      page().out[MASK_XENCONS_IDX(page().out_prod++, page().out)] = c;
    }
  }
  hv::GuestMapping mapping() { return hv::GuestMapping({{Gfn(1), std::span(page_)}}, nullptr); }
  RingConsole::Files files() const {
    return {directory_ + "/history", directory_ + "/guest.log", 64 << 10};
  }
  RingConsole serve() { return RingConsole(mapping(), files()); }
  RingConsole adopt() { return RingConsole(mapping(), files(), RingConsole::Origin::adopted); }
  static void drain(Console& console) {
    while (console.pump().more) {
    }
  }
  std::string log() const {
    std::ifstream file(files().log, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  alignas(4096) std::array<std::byte, 4096> page_{};
  std::string directory_;
};

TEST_F(ConsoleOf, ADaemonThatIsKilledGoesOnInTheNext) {
  {
    RingConsole killed = serve();
    print("before ");
    drain(killed);
  }
  print("between ");
  RingConsole next = adopt();
  EXPECT_TRUE(next.pump().notify) << "the guest may have been left waiting";
  drain(next);
  print("after");
  drain(next);
  EXPECT_EQ(next.text(), "before between after");
  EXPECT_EQ(log(), next.text());
}

// Killed after the text is kept and before the guest's page says so.
TEST_F(ConsoleOf, AKillBeforeTheRingMovesDoublesNothing) {
  RingConsole killed = serve();
  print("one ");
  drain(killed);
  print("two ");
  drain(killed);
  page().out_cons = 4;
  RingConsole next = adopt();
  print("three");
  drain(next);
  EXPECT_EQ(next.text(), "one two three");
  EXPECT_EQ(log(), next.text());
}

// Killed when the log had grown and the history had not counted it.
TEST_F(ConsoleOf, AKillBeforeTheHistoryCountsDoublesNothing) {
  RingConsole killed = serve();
  print("one ");
  drain(killed);
  std::filesystem::copy_file(files().history, directory_ + "/kept");
  print("two ");
  drain(killed);
  std::filesystem::rename(directory_ + "/kept", files().history);
  page().out_cons = 4;
  RingConsole next = adopt();
  drain(next);
  EXPECT_EQ(next.text(), "one two ");
  EXPECT_EQ(log(), next.text());
}

// The first turn of a domain whose name's log has an earlier domain's text already.
TEST_F(ConsoleOf, AKillInTheFirstTurnDoublesNothing) {
  std::ofstream(files().log) << "earlier domain\n";
  {
    RingConsole killed = serve();
    print("text");
    drain(killed);
  }
  // As it was before the commit: the note of where the log stood, and the log grown.
  History noted(files().history);
  ASSERT_TRUE(noted.commit({0, 15}));
  page().out_cons = 0;
  RingConsole next = adopt();
  drain(next);
  EXPECT_EQ(next.text(), "text");
  EXPECT_EQ(log(), "earlier domain\ntext");
}

TEST_F(ConsoleOf, ALogThatLosesItsOlderHalfIsCutAtTheRightPlace) {
  RingConsole killed(mapping(), {directory_ + "/history", directory_ + "/guest.log", 8 << 10});
  std::string last;
  for (int i = 0; i < 2000; ++i) {
    last = "line " + std::to_string(i) + '\n';
    print(last);
    drain(killed);
  }
  const std::string before = log();
  std::ofstream(files().log, std::ios::app) << "not counted";
  RingConsole next = adopt();
  EXPECT_EQ(log(), before);
  EXPECT_TRUE(before.ends_with(last));
}

TEST_F(ConsoleOf, ADomainWithoutAPageHasEndedAndShowsItsHistory) {
  {
    RingConsole killed = serve();
    print("what it said");
    drain(killed);
  }
  RingConsole ended({}, files(), RingConsole::Origin::adopted);
  drain(ended);
  EXPECT_EQ(ended.text(), "what it said");
  EXPECT_FALSE(ended.write({}));
}

}  // namespace
}  // namespace xl::console
