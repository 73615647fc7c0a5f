// SPDX-License-Identifier: Apache-2.0
// Requests to a guest's kernel. The test plays the guest by its ring's client, through the store.
#include <thread>

#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using fixture::ToolstackTest;
using namespace std::chrono_literals;
using Kind = LifecycleEvent::Kind;

constexpr auto brief = 30ms;  // for a guest that does not answer
constexpr auto patient = 20s;

class GuestRequests : public ToolstackTest {
 protected:
  // Asks on a thread of its own, and returns once the request is in the store.
  template <typename Ask>
  void start(DomId id, Ask ask) {
    asking_ = std::jthread([this, ask] { result_ = ask(); });
    ASSERT_TRUE(wait_for(Kind::trigger, id));
  }
  Result<void> finish() {
    asking_.join();
    return result_;
  }

 private:
  Result<void> result_;
  std::jthread asking_;
};

TEST_F(GuestRequests, AGuestThatDoesNotAnswerIsATimeoutWithACure) {
  const DomId id = create("deaf");
  const auto asked = toolstack().request_shutdown(id, {.timeout = brief}, {});
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::timeout);
  EXPECT_NE(asked.error().message.find("power off within 0.03 s"), std::string::npos)
      << asked.error().message;
  EXPECT_NE(asked.error().hint.find("xl destroy deaf"), std::string::npos);
  EXPECT_EQ(toolstack().send_sysrq(id, 'h', brief, {}).error().code, ErrorCode::timeout);
}

TEST_F(GuestRequests, FallingBackToAButtonTellsThatThereIsNone) {
  const DomId id = create();
  const ShutdownRequest request{.timeout = brief, .fall_back_to_trigger = true};
  const auto asked = toolstack().request_shutdown(id, request, {});
  EXPECT_EQ(asked.error().code, ErrorCode::not_supported);
  ASSERT_TRUE(toolstack().request_shutdown(
      id, {.reboot = true, .timeout = brief, .fall_back_to_trigger = true}, {}));
  EXPECT_EQ(fake().guest_triggers(id)->size(), 1U);
}

TEST_F(GuestRequests, AShutdownInsteadOfAnAnswerIsAnAnswer) {
  const DomId id = create();
  start(id, [this, id] { return toolstack().request_shutdown(id, {.timeout = patient}, {}); });
  ASSERT_TRUE(fake().guest_shutdown(id, hv::ShutdownReason::poweroff));
  EXPECT_TRUE(finish());
}

TEST_F(GuestRequests, EndWithTheirDomain) {
  const DomId id = create();
  start(id, [this, id] { return toolstack().request_shutdown(id, {.timeout = patient}, {}); });
  ASSERT_TRUE(toolstack().destroy(id));
  EXPECT_TRUE(finish());
}

TEST_F(GuestRequests, ADyingHypervisorIsNotAnAnswer) {
  const DomId id = create();
  start(id, [this, id] { return toolstack().request_shutdown(id, {.timeout = patient}, {}); });
  fake().die();
  const auto asked = finish();
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::hypervisor_gone);
}

TEST_F(GuestRequests, CanBeCancelled) {
  const DomId id = create();
  std::stop_source cancel;
  start(id, [&, id] {
    return toolstack().request_shutdown(id, {.timeout = patient}, cancel.get_token());
  });
  cancel.request_stop();
  EXPECT_EQ(finish().error().code, ErrorCode::interrupted);
}

TEST_F(GuestRequests, AreRefusedAtOnceWhereNobodyCouldAnswer) {
  const DomId id = create();
  ASSERT_TRUE(toolstack().pause(id));
  const auto paused = toolstack().request_shutdown(id, {}, {});
  EXPECT_EQ(paused.error().code, ErrorCode::busy);
  EXPECT_NE(paused.error().hint.find("unpause"), std::string::npos);
  ASSERT_TRUE(toolstack().unpause(id));
  config::DomainConfig kept = config("kept");
  kept.on_poweroff = config::ShutdownAction::preserve;
  const DomId over = create(kept);
  ASSERT_TRUE(fake().guest_shutdown(over, hv::ShutdownReason::poweroff));
  EXPECT_EQ(toolstack().request_shutdown(over, {}, {}).error().code, ErrorCode::busy);
  EXPECT_EQ(toolstack().request_shutdown(DomId(99), {}, {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(toolstack().send_sysrq(id, ' ', brief, {}).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace xl::toolstack
