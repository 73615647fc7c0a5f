// SPDX-License-Identifier: Apache-2.0
// Each reason of a shutdown with each action.
#include <algorithm>
#include <tuple>

#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using config::ShutdownAction;
using fixture::ToolstackTest;
using hv::ShutdownReason;
using hv::fake::Usage;
using Kind = LifecycleEvent::Kind;

ShutdownAction& action_of(config::DomainConfig& config, ShutdownReason reason) {
  switch (reason) {
    case ShutdownReason::reboot: return config.on_reboot;
    case ShutdownReason::crash: return config.on_crash;
    case ShutdownReason::watchdog: return config.on_watchdog;
    case ShutdownReason::soft_reset: return config.on_soft_reset;
    case ShutdownReason::poweroff:
    case ShutdownReason::suspend: break;
  }
  return config.on_poweroff;
}

class Actions : public ToolstackTest {
 protected:
  // A domain whose every other reason would preserve it, so that a mix-up shows.
  DomId create_with(ShutdownReason reason, ShutdownAction action) {
    config::DomainConfig made = config();
    made.on_poweroff = made.on_reboot = made.on_crash = made.on_watchdog = made.on_soft_reset =
        action == ShutdownAction::preserve ? ShutdownAction::destroy : ShutdownAction::preserve;
    action_of(made, reason) = action;
    return create(made);
  }
  DomId end_with_successor(DomId id, Kind kind) {
    const auto ended = wait_for(kind, id);
    EXPECT_TRUE(ended && ended->end && ended->end->successor);
    return ended && ended->end ? ended->end->successor.value_or(DomId()) : DomId();
  }
  void destroy_all() {
    const auto rows = toolstack().list();
    ASSERT_TRUE(rows);
    for (std::size_t i = 1; i < rows->size(); ++i) {
      EXPECT_TRUE(toolstack().destroy((*rows)[i].info.id));
    }
    EXPECT_EQ(fake().usage(), Usage{});
  }
};

class EachAction
    : public Actions,
      public ::testing::WithParamInterface<std::tuple<ShutdownReason, ShutdownAction>> {
 protected:
  void expect_outcome(DomId id, ShutdownAction action);
};

void EachAction::expect_outcome(DomId id, ShutdownAction action) {
  switch (action) {
    case ShutdownAction::destroy:
    case ShutdownAction::coredump_destroy:
      ASSERT_TRUE(wait_for(Kind::ended, id));
      EXPECT_EQ(fake().usage(), Usage{});
      return;
    case ShutdownAction::preserve: EXPECT_EQ(names(), std::vector<std::string>{"guest"}); return;
    case ShutdownAction::restart:
    case ShutdownAction::coredump_restart:
      EXPECT_EQ(*toolstack().find("guest"), end_with_successor(id, Kind::ended));
      EXPECT_EQ(names().size(), 1U);
      return;
    case ShutdownAction::restart_rename:
      EXPECT_EQ(*toolstack().find("guest"), end_with_successor(id, Kind::restarted));
      EXPECT_EQ(names().size(), 2U);
      return;
    case ShutdownAction::soft_reset:
      ASSERT_TRUE(wait_for(Kind::resumed, id));
      EXPECT_FALSE(fake().domain_info(id)->shutdown);
      EXPECT_EQ(*toolstack().find("guest"), id);
      return;
  }
}

TEST_P(EachAction, DoesWhatItSays) {
  const auto [reason, action] = GetParam();
  const DomId id = create_with(reason, action);
  ASSERT_TRUE(fake().guest_shutdown(id, reason));
  const auto shutdown = wait_for(Kind::shutdown, id);
  ASSERT_TRUE(shutdown);
  EXPECT_EQ(shutdown->end->reason, reason);
  EXPECT_EQ(shutdown->end->action, to_string(action));
  expect_outcome(id, action);
  destroy_all();
}

INSTANTIATE_TEST_SUITE_P(
    Of, EachAction,
    ::testing::Combine(::testing::Values(ShutdownReason::poweroff, ShutdownReason::reboot,
                                         ShutdownReason::crash, ShutdownReason::watchdog,
                                         ShutdownReason::soft_reset),
                       ::testing::ValuesIn(config::all_shutdown_actions)));

TEST_F(Actions, RenameRestartKeepsTheOldOneUnderItsNameWithTheTime) {
  const DomId old_id = create_with(ShutdownReason::crash, ShutdownAction::restart_rename);
  const auto before = toolstack().config_of(old_id);
  ASSERT_TRUE(fake().guest_shutdown(old_id, ShutdownReason::crash));
  const auto renamed = wait_for(Kind::renamed, old_id);
  ASSERT_TRUE(renamed);
  EXPECT_TRUE(renamed->name.starts_with("guest-20")) << renamed->name;
  const DomId new_id = end_with_successor(old_id, Kind::restarted);
  const auto kept = toolstack().config_of(old_id);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->name, renamed->name);
  EXPECT_NE(kept->uuid, before->uuid);
  EXPECT_EQ(*toolstack().config_of(new_id), *before);
  EXPECT_EQ(*toolstack().find(renamed->name), old_id);
  EXPECT_EQ(fake().domain_info(old_id)->shutdown, ShutdownReason::crash);
  destroy_all();
}

TEST_F(Actions, RenameRestartTwiceInAMinuteFindsAnotherName) {
  const DomId first = create_with(ShutdownReason::crash, ShutdownAction::restart_rename);
  ASSERT_TRUE(fake().guest_shutdown(first, ShutdownReason::crash));
  const DomId second = end_with_successor(first, Kind::restarted);
  ASSERT_TRUE(fake().guest_shutdown(second, ShutdownReason::crash));
  const DomId third = end_with_successor(second, Kind::restarted);
  EXPECT_EQ(*toolstack().find("guest"), third);
  EXPECT_EQ(names().size(), 3U);
  destroy_all();
}

TEST_F(Actions, ARenameRestartThatFailsKeepsTheOldOneAndSaysWhy) {
  const DomId id = create_with(ShutdownReason::crash, ShutdownAction::restart_rename);
  fake().fail_nth(hv::fake::Call::create_domain, 1, ErrorCode::no_memory);
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::crash));
  const auto restarted = wait_for(Kind::restarted, id);
  ASSERT_TRUE(restarted);
  EXPECT_FALSE(restarted->end->successor);
  EXPECT_NE(restarted->end->report.find("restarting failed"), std::string::npos);
  EXPECT_EQ(names().size(), 1U);
  EXPECT_FALSE(toolstack().find("guest"));
  create();  // the name is free
  destroy_all();
}

TEST_F(Actions, ASoftResetConnectsConsoleAndStoreByNewPorts) {
  const DomId id = create_with(ShutdownReason::soft_reset, ShutdownAction::soft_reset);
  fixture::Mailbox<std::string> console;
  const auto attached = toolstack().attach_console(id, [&](std::span<const std::byte> bytes) {
    console.put({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  });
  ASSERT_TRUE(attached);
  const Usage before = fake().usage();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::soft_reset));
    ASSERT_TRUE(wait_for(Kind::resumed, id));
    const std::string text = "after the reset " + std::to_string(round);
    guest_prints(id, text);
    EXPECT_TRUE(console.wait_for(
        [&](const std::string& bytes) { return bytes.find(text) != std::string::npos; }));
  }
  EXPECT_EQ(fake().usage(), before);
  destroy_all();
}

TEST_F(Actions, ASoftResetThatFailsDestroys) {
  const DomId id = create_with(ShutdownReason::soft_reset, ShutdownAction::soft_reset);
  fake().fail_nth(hv::fake::Call::soft_reset, 1, ErrorCode::io);
  ASSERT_TRUE(fake().guest_shutdown(id, ShutdownReason::soft_reset));
  const auto ended = wait_for(Kind::ended, id);
  ASSERT_TRUE(ended);
  EXPECT_NE(ended->end->report.find("the soft reset failed"), std::string::npos);
  EXPECT_EQ(fake().usage(), Usage{});
}

}  // namespace
}  // namespace xl::toolstack
