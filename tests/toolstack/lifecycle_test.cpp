// SPDX-License-Identifier: Apache-2.0
// What happens to domains after they were made.
#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>

#include "libxl++/toolstack/event_log.hpp"
#include "tests/toolstack/mortal_hypervisor.hpp"
#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using fixture::Mailbox;
using fixture::ToolstackTest;
using hv::ShutdownReason;
using hv::fake::Usage;
using Kind = LifecycleEvent::Kind;

class Lifecycle : public ToolstackTest {
 protected:
  config::DomainConfig config_with(config::ShutdownAction action) {
    config::DomainConfig made = config();
    made.on_poweroff = made.on_reboot = made.on_crash = action;
    return made;
  }
};

TEST_F(Lifecycle, DestroyFreesEverything) {
  const DomId id = create();
  ASSERT_TRUE(toolstack().destroy(id));
  EXPECT_EQ(fake().usage(), Usage{});
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(toolstack().destroy(id).error().code, ErrorCode::not_found);
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->end->action, "destroy");
  EXPECT_FALSE(ended->end->reason);
  create();
}

// Whoever comes later gets what was before, in order, without gap or repetition.
TEST_F(Lifecycle, EventsAreNumberedAndKept) {
  const DomId id = create();
  ASSERT_TRUE(toolstack().pause(id));
  const auto kept = toolstack().events_after(0);
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept[0].kind, Kind::created);
  EXPECT_EQ(kept[1].kind, Kind::unpaused);
  EXPECT_EQ(kept[2].kind, Kind::paused);
  Mailbox<LifecycleEvent> box;
  const auto late = toolstack().subscribe([&box](const LifecycleEvent& event) { box.put(event); },
                                          kept[0].sequence);
  ASSERT_TRUE(toolstack().unpause(id));
  std::uint64_t last = kept[0].sequence;
  for (const Kind expected : {Kind::unpaused, Kind::paused, Kind::unpaused}) {
    const auto event = box.wait_for([](const LifecycleEvent&) { return true; });
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, expected);
    EXPECT_EQ(event->sequence, ++last);
  }
  restart_toolstack();
  create("other");
  EXPECT_GT(toolstack().events_after(0).front().sequence, last);
}

TEST(EventLogTest, ForgetsTheOldest) {
  EventLog log(2);
  std::uint64_t told = 0;
  for (int count = 0; count < 5; ++count) {
    log.add({}, [&told](const LifecycleEvent& event) { told = event.sequence; });
  }
  const auto kept = log.after(0);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[1].sequence, told);
  EXPECT_TRUE(log.after(told).empty());
  EXPECT_EQ(log.after(told - 1).size(), 1U);
}

TEST_F(Lifecycle, ADestroyThatFailedCanBeTriedAgain) {
  const DomId id = create();
  fake().fail_nth(hv::fake::Call::destroy_domain, 1, ErrorCode::io);
  EXPECT_EQ(toolstack().destroy(id).error().code, ErrorCode::io);
  EXPECT_EQ(names().size(), 1U);
  ASSERT_TRUE(toolstack().destroy(id));
  EXPECT_EQ(fake().usage(), Usage{});
}

TEST_F(Lifecycle, PauseAndUnpauseDoNotCount) {
  const DomId id = create();
  ASSERT_TRUE(toolstack().pause(id));
  ASSERT_TRUE(toolstack().pause(id));
  EXPECT_TRUE(fake().domain_info(id)->paused);
  ASSERT_TRUE(toolstack().unpause(id));
  EXPECT_FALSE(fake().domain_info(id)->paused);
  ASSERT_TRUE(toolstack().unpause(id));
  EXPECT_EQ(toolstack().pause(DomId(77)).error().code, ErrorCode::not_found);
}

TEST_F(Lifecycle, RenameFreesTheOldNameAndRefusesATakenOne) {
  const DomId id = create("old");
  create("other");
  EXPECT_EQ(toolstack().rename(id, "other").error().code, ErrorCode::already_exists);
  EXPECT_EQ(toolstack().rename(id, "../etc").error().code, ErrorCode::invalid_config);
  ASSERT_TRUE(toolstack().rename(id, "new"));
  EXPECT_FALSE(toolstack().find("old"));
  EXPECT_EQ(*toolstack().find("new"), id);
  EXPECT_EQ(toolstack().config_of(id)->name, "new");
  EXPECT_EQ(wait_for(Kind::renamed, id)->name, "new");
  create("old");
}

TEST_F(Lifecycle, DomainZeroIsListedWithoutAHypervisor) {
  const auto rows = toolstack().list();
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().name, "Domain-0");
  EXPECT_TRUE(rows->front().info.running);
  EXPECT_GT(rows->front().info.memory, Pages(0));
  EXPECT_EQ(starts(), 0U);
  EXPECT_EQ(*toolstack().find("Domain-0"), DomId(0));
  EXPECT_EQ(toolstack().destroy(DomId(0)).error().code, ErrorCode::not_supported);
}

TEST_F(Lifecycle, FindTakesNoPrefix) {
  create("guest");
  EXPECT_EQ(toolstack().find("gues").error().code, ErrorCode::not_found);
}

TEST_F(Lifecycle, PoweroffDestroysAndReportsTheLastLine) {
  const DomId id = create(config_with(config::ShutdownAction::destroy));
  guest_prints(id, "booting\r\nreboot: Power down\r\n\r\n");
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::poweroff));
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->end->reason, ShutdownReason::poweroff);
  EXPECT_EQ(ended->end->last_console_line, "reboot: Power down");
  EXPECT_EQ(ended->end->action, "destroy");
  EXPECT_EQ(fake().usage(), Usage{});
}

TEST_F(Lifecycle, ACrashIsReportedWithWhatTheHypervisorLogged) {
  const DomId id = create(config_with(config::ShutdownAction::destroy));
  const std::string name = "d" + std::to_string(id.value());
  fake().append_log("(XLHV) " + name + "v0: triple fault\n(XLHV) d99v0: another domain\n");
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::crash));
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->end->report, "(XLHV) " + name + "v0: triple fault\n");
}

TEST_F(Lifecycle, ATripleFaultIsARebootWithACause) {
  const char* const tellings[] = {"v0 crashed: triple fault, exit 0x7f",
                                  "v0 Triple fault - invoking HVM shutdown action 1"};
  for (const char* telling : tellings) {
    const DomId id = create(config_with(config::ShutdownAction::destroy));
    const std::string line = "(XEN) d" + std::to_string(id.value()) + telling + "\n";
    fake().append_log(line);
    ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::reboot));
    const auto ended = wait_for(Kind::ended, id);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->end->reason, ShutdownReason::reboot);
    EXPECT_EQ(ended->end->cause, "triple fault");
    EXPECT_EQ(ended->end->report, line);
  }
}

TEST_F(Lifecycle, ARebootHasNoCause) {
  const DomId id = create(config_with(config::ShutdownAction::destroy));
  fake().append_log("(XEN) d99v0 Triple fault - invoking HVM shutdown action 1\n(XEN) d" +
                    std::to_string(id.value()) + "v0 something else\n");
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::reboot));
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->end->cause, "");
  EXPECT_EQ(ended->end->report, "");
}

TEST_F(Lifecycle, PreserveKeepsTheDomainUntilItIsDestroyed) {
  const DomId id = create(config_with(config::ShutdownAction::preserve));
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::crash));
  EXPECT_EQ(wait_for(Kind::shutdown, id)->end->action, "preserve");
  EXPECT_EQ(names().size(), 1U);
  ASSERT_TRUE(toolstack().destroy(id));
  EXPECT_EQ(fake().usage(), Usage{});
}

TEST_F(Lifecycle, IgnoredDeathLeavesTheDomain) {
  const DomId id = create(config_with(config::ShutdownAction::destroy), {.ignore_death = true});
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::poweroff));
  EXPECT_EQ(wait_for(Kind::shutdown, id)->end->action, "preserve");
  EXPECT_EQ(names().size(), 1U);
}

TEST_F(Lifecycle, RestartKeepsNameAndUuid) {
  const DomId id = create(config_with(config::ShutdownAction::restart));
  const auto before = toolstack().config_of(id);
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::reboot));
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended && ended->end->successor);
  EXPECT_NE(*ended->end->successor, id);
  EXPECT_EQ(*toolstack().find("guest"), *ended->end->successor);
  EXPECT_EQ(*toolstack().config_of(*ended->end->successor), *before);
  ASSERT_TRUE(toolstack().destroy(*ended->end->successor));
  EXPECT_EQ(fake().usage(), Usage{});
}

TEST_F(Lifecycle, WhoAsksForTheNameDuringARestartGetsTheSuccessor) {
  const DomId id = create(config_with(config::ShutdownAction::restart));
  std::future<Result<DomId>> found;
  fake().set_hook([&](const hv::fake::CallRecord& record) {
    if (record.call == hv::fake::Call::create_domain && !found.valid()) {
      found = std::async(std::launch::async, [&] { return toolstack().find("guest"); });
      EXPECT_EQ(found.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
    }
  });
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::reboot));
  const auto ended = wait_for(Kind::ended, id);
  fake().set_hook({});
  ASSERT_TRUE(ended && ended->end->successor && found.valid());
  EXPECT_EQ(*found.get(), *ended->end->successor);
}

TEST_F(Lifecycle, ARestartThatFailsSaysWhyAndFreesTheName) {
  const DomId id = create(config_with(config::ShutdownAction::restart));
  std::filesystem::remove(config().kernel);
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::reboot));
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->end->successor);
  EXPECT_NE(ended->end->report.find(config().kernel), std::string::npos) << ended->end->report;
  EXPECT_EQ(fake().usage(), Usage{});
  EXPECT_FALSE(toolstack().find("guest"));
}

TEST_F(Lifecycle, ADomainThatWaitsForItsRestartCanBeDestroyed) {
  options_.restart_interval = std::chrono::hours(1);
  restart_toolstack();
  const DomId id = create(config_with(config::ShutdownAction::restart));
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::reboot));
  ASSERT_TRUE(wait_for(Kind::shutdown, id));
  ASSERT_TRUE(toolstack().destroy(id));
  EXPECT_EQ(wait_for(Kind::ended, id)->end->action, "destroy");
  EXPECT_TRUE(names().empty());
}

TEST_F(Lifecycle, AHypervisorThatDiesEndsItsDomainsAndTheNextCreateStartsAnother) {
  const DomId first = create("first");
  const DomId second = create("second");
  Mailbox<std::string> console;
  const auto attached = toolstack().attach_console(first, [&](std::span<const std::byte> bytes) {
    console.put(bytes.empty() ? "end" : "bytes");
  });
  ASSERT_TRUE(attached);
  fake().die();
  for (const DomId id : {first, second}) {
    const auto ended = wait_for(Kind::ended, id);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->end->action, "lost");
  }
  EXPECT_TRUE(console.wait_for([](const std::string& what) { return what == "end"; }));
  EXPECT_FALSE(toolstack().hypervisor_running());
  EXPECT_TRUE(names().empty());
  create("first");
  EXPECT_EQ(starts(), 2U);
}

TEST_F(Lifecycle, ADyingHypervisorIsNoticedByACallToo) {
  const DomId id = create();
  fake().fail_nth(hv::fake::Call::pause, 1, ErrorCode::hypervisor_gone);
  EXPECT_EQ(toolstack().pause(id).error().code, ErrorCode::hypervisor_gone);
  EXPECT_EQ(wait_for(Kind::ended, id)->end->action, "lost");
  create();
  EXPECT_EQ(starts(), 2U);
}

// Two at once would fight for the runtime directory.
TEST_F(Lifecycle, TheNextHypervisorStartsWhenTheLastIsGone) {
  std::atomic<bool> is_gone{false};
  // Lives as long as what the toolstack holds.
  wrap_ = [&](std::unique_ptr<hv::Hypervisor> behind) {
    const std::shared_ptr<hv::fake::Fate> tombstone(new hv::fake::Fate, [&](auto* fate) {
      for (int i = 0; i < 1000; ++i) {
        std::this_thread::yield();
      }
      is_gone = true;
      delete fate;
    });
    return std::make_unique<hv::fake::MortalHypervisor>(std::move(behind), tombstone);
  };
  create("first");
  std::atomic<bool> was_gone{false};
  on_start_ = [&] { was_gone = is_gone.load(); };
  fake().die();
  while (!toolstack().create_domain(config("second"), {}, {})) {
  }
  EXPECT_TRUE(was_gone);
}

TEST_F(Lifecycle, AHypervisorThatDiesDuringACreateLeavesNothing) {
  create("witness");
  std::atomic<bool> armed{true};
  fake().set_hook([&](const hv::fake::CallRecord& record) {
    if (record.call == hv::fake::Call::set_memory_map && armed.exchange(false)) {
      fake().die();
    }
  });
  const auto failed = toolstack().create_domain(config(), {}, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::hypervisor_gone);
  create();
  EXPECT_EQ(names(), std::vector<std::string>{"guest"});
}

}  // namespace
}  // namespace xl::toolstack
