// SPDX-License-Identifier: Apache-2.0
// The tiny guests that need somebody at the other end: at the console's keyboard, at the xenstore
// ring, or to wake them, stop them and reset them.
#include <memory>
#include <span>
#include <sstream>
#include <thread>

#include "libxl++/xenstore/guest_link.hpp"
#include "tests/hypervisor-iface/conformance_guests.hpp"

namespace xl::hv {
namespace {

using namespace std::chrono_literals;

TEST_F(GuestConformance, EchoGivesBackWhatIsTyped) {
  const auto guest = start({"echo", "lines=3"});
  ASSERT_TRUE(guest && guest->until_it_says("READY echo\n"));
  EXPECT_TRUE(has(guest->output(), "line 1\nline 2\nline 3\n"));
  for (const char* word : {"one", "two words", "3"}) {
    guest->type(word + std::string("\r"));
    EXPECT_TRUE(guest->until_it_says("echo: " + std::string(word) + "\n")) << guest->output();
  }
  guest->type("quit\r");
  EXPECT_TRUE(guest->until_it_ends());
  EXPECT_TRUE(has(guest->output(), "PASS echo\n")) << guest->output();
}

// The next word comes when the guest has just answered: while it looks once more, and between the
// STI and the HLT with which it waits.
TEST_F(GuestConformance, EchoMissesNothingOnItsWayToSleep) {
  if (!traits().is_ours) {
    GTEST_SKIP() << "QEMU's emulated CPU forgets the shadow of STI, and Xen relies on it";
  }
  const auto guest = start({"echo"});
  ASSERT_TRUE(guest && guest->until_it_says("READY echo\n"));
  for (int i = 1; i <= 3000; ++i) {
    const std::string word = std::to_string(i);
    guest->type(word + "\r");
    ASSERT_TRUE(guest->until_it_says("echo: " + word + "\n")) << i;
  }
}

// How many of "line 1", "line 2", ... it printed; fails where the next one is another.
std::uint64_t lines_without_a_gap(const std::string& output) {
  std::istringstream lines(output);
  std::uint64_t number = 0;
  for (std::string line; std::getline(lines, line) && !lines.eof();) {
    ++number;
    EXPECT_EQ(line, "line " + std::to_string(number));
  }
  return number;
}

TEST_F(GuestConformance, CounterLosesNoLineAndStopsWhilePaused) {
  const auto guest = start({"counter", "pause=1"});
  ASSERT_TRUE(guest && guest->until_it_says("line 50\n"));
  ASSERT_TRUE(ok(hv().pause(guest->id())));
  guest->look();
  const std::string paused = guest->output();
  for (int i = 0; i < 5; ++i) {
    guest->look();
  }
  EXPECT_EQ(guest->output(), paused);
  ASSERT_TRUE(ok(hv().unpause(guest->id())));
  EXPECT_TRUE(guest->until_it_says("line 100\n"));
  EXPECT_GE(lines_without_a_gap(guest->output()), 100U);
}

TEST_F(GuestConformance, IdleTakesNoTime) {
  const auto guest = start({"idle"});
  ASSERT_TRUE(guest && guest->until_it_says("READY idle\n"));
  const auto info = [&] { return hv().domain_info(guest->id()).value_or(DomainInfo()); };
  EXPECT_TRUE(guest->until([&] { return info().blocked; }));
  const Nanoseconds before = info().cpu_time;
  std::this_thread::sleep_for(300ms);
  EXPECT_TRUE(info().blocked);
  EXPECT_LT(info().cpu_time - before, Nanoseconds(30'000'000));
  EXPECT_TRUE(ok(hv().shutdown_domain(guest->id(), ShutdownReason::reboot)));
  EXPECT_TRUE(guest->until_it_ends());
  EXPECT_EQ(guest->reason(), ShutdownReason::reboot);
}

TEST_F(GuestConformance, WakesUpByTimerAndByAnotherVcpu) {
  const std::string output = passes({"wakeup", "rounds=10 pause_us=1000", mib(16), 2});
  EXPECT_TRUE(has(output, "timer p50=")) << output;
  EXPECT_TRUE(has(output, "ipi p50=")) << output;
}

TEST_F(GuestConformance, BalloonGivesAndTakes) {
  passes({"balloon", "", mib(64)});
  passes({"balloon", "", mib(16), 1, 1, mib(64)});
}

TEST_F(GuestConformance, SoftResetKeepsTheGuestAndRenewsItsPorts) {
  const auto guest = start({"softreset"});
  ASSERT_TRUE(guest != nullptr);
  for (int round = 1; round <= 2; ++round) {
    ASSERT_TRUE(guest->until_it_ends());
    ASSERT_EQ(guest->reason(), ShutdownReason::soft_reset) << guest->output();
    guest->reset_softly();
  }
  EXPECT_TRUE(guest->until_it_ends());
  EXPECT_EQ(guest->reason(), ShutdownReason::poweroff);
  EXPECT_TRUE(has(guest->output(), "round 1: ")) << guest->output();
  EXPECT_TRUE(has(guest->output(), "PASS softreset\n")) << guest->output();
}

// The xenstore of one guest, served by this process.
class StoreOf {
 public:
  StoreOf(Hypervisor& hypervisor, const LiveGuest& guest)
      : hypervisor_(hypervisor), id_(guest.id()) {
    const auto permissions =
        std::make_shared<const xenstore::Permissions>(xenstore::Permissions{{id_, {}}});
    const xenstore::NodeSpec data{home() + "/data", "", permissions};
    EXPECT_TRUE(ok(server_.write(std::span(&data, 1))));
    auto page = hypervisor.map_frames(id_, {guest.built().xenstore_frame, Pages(1)});
    auto client = server_.introduce(id_, {});
    const auto binding = hypervisor.event_bind(id_, guest.built().xenstore_port);
    EXPECT_TRUE(ok(page) && ok(client) && ok(binding));
    if (page && client && binding) {
      port_ = binding->local;
      link_.renew(std::move(page).value(), std::move(client).value());
    }
  }
  ~StoreOf() {
    server_.release(id_);
    link_.end();
  }
  std::string home() const { return "/local/domain/" + std::to_string(id_.value()); }
  xenstore::Server& server() { return server_; }
  void serve() {
    xenstore::Ring::Progress progress;
    do {
      progress = link_.pump();
      if (progress.notify) {
        EXPECT_TRUE(ok(hypervisor_.event_notify(port_)));
      }
    } while (progress.more);
  }

 private:
  Hypervisor& hypervisor_;
  const DomId id_;
  EventPort port_;
  xenstore::Server server_;
  xenstore::GuestLink link_;
};

TEST_F(GuestConformance, AStormOnTheXenstoreRingIsItsOwnHarm) {
  const auto guest = start({"storm"});
  ASSERT_TRUE(guest && guest->until_it_says("READY storm\n"));
  StoreOf store(hv(), *guest);
  constexpr std::size_t write_request = 11;
  // Each flood is 200 of them at most, and what follows ends its connection.
  EXPECT_TRUE(guest->until([&] {
    store.serve();
    return store.server().statistics().requests.by_type[write_request] > 1000;
  })) << guest->output();
  const auto nodes = store.server().list(store.home() + "/data");
  EXPECT_TRUE(ok(nodes) && !nodes->empty() && nodes->size() <= 26);
  EXPECT_TRUE(ok(hv().ping()));
}

}  // namespace
}  // namespace xl::hv
