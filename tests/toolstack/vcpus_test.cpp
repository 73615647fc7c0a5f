// SPDX-License-Identifier: Apache-2.0
// vcpus that come and go at the toolstack's request, and triggers. The test plays the guest.
#include <future>

#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using fixture::ToolstackTest;
using Kind = LifecycleEvent::Kind;
using namespace std::chrono_literals;

class Vcpus : public ToolstackTest {
 protected:
  DomId create_with(std::uint32_t vcpus, std::uint32_t max) {
    config::DomainConfig made = config();
    made.vcpus = vcpus;
    made.max_vcpus = max;
    const DomId id = create(made);
    for (std::uint32_t vcpu = 1; vcpu < vcpus; ++vcpu) {
      set_guest_vcpu(id, vcpu, true);
    }
    return id;
  }
  void set_guest_vcpu(DomId id, std::uint32_t vcpu, bool online) {
    EXPECT_TRUE(fake().guest_set_vcpu(id, VcpuId(vcpu), online));
  }
  Result<VcpuState> set(DomId id, std::uint32_t vcpus, std::chrono::milliseconds timeout = 20s,
                        std::stop_token cancel = {}) {
    return toolstack().set_vcpus(id, {vcpus, true, timeout}, cancel);
  }
  std::future<Result<VcpuState>> set_later(DomId id, std::uint32_t vcpus,
                                           std::stop_token cancel = {}) {
    return std::async(std::launch::async,
                      [=, this] { return set(id, vcpus, fixture::patience, cancel); });
  }
  void expect_refusal(const Result<VcpuState>& result, ErrorCode code, const std::string& word) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << describe(result.error());
    EXPECT_NE(describe(result.error()).find(word), std::string::npos) << describe(result.error());
  }
};

TEST_F(Vcpus, AnswersWhenTheGuestHasDoneIt) {
  const DomId id = create_with(1, 4);
  auto more = set_later(id, 3);
  set_guest_vcpu(id, 1, true);
  EXPECT_EQ(more.wait_for(0s), std::future_status::timeout) << "one is not two";
  set_guest_vcpu(id, 2, true);
  const auto state = more.get();
  ASSERT_TRUE(state) << describe(state.error());
  EXPECT_EQ(state->online, 3U);
  EXPECT_EQ(state->max, 4U);
  EXPECT_EQ(toolstack().config_of(id)->vcpus, 3U) << "as it would be restarted";
  const auto event = wait_for(Kind::vcpus, id);
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<std::uint64_t>(event->details.at(0).value), 3U);

  auto fewer = set_later(id, 1);
  set_guest_vcpu(id, 2, false);
  set_guest_vcpu(id, 1, false);
  EXPECT_TRUE(fewer.get());
}

TEST_F(Vcpus, NothingToDoIsDone) {
  EXPECT_TRUE(set(create_with(2, 4), 2));
}

TEST_F(Vcpus, RefusesWhatCannotBe) {
  const DomId id = create_with(1, 4);
  expect_refusal(set(id, 0), ErrorCode::invalid_argument, "at least one vcpu");
  expect_refusal(set(id, 5), ErrorCode::invalid_argument, "at most 4 vcpus");
  expect_refusal(set(DomId(77), 1), ErrorCode::not_found, "77");
  const unsigned cpus = fake().host_info()->cpus;
  const DomId large = [&] {
    config::DomainConfig made = config("large");
    made.max_vcpus = cpus + 1;
    return create(made);
  }();
  expect_refusal(toolstack().set_vcpus(large, {cpus + 1, false, 1ms}, {}),
                 ErrorCode::invalid_argument, "CPUs of the host");
  ASSERT_TRUE(toolstack().pause(id));
  expect_refusal(set(id, 2), ErrorCode::busy, "paused");
}

TEST_F(Vcpus, AGuestThatDoesNotLookIsNamed) {
  const DomId id = create_with(1, 4);
  expect_refusal(set(id, 2, 1ms), ErrorCode::timeout, "no driver");
  EXPECT_EQ(toolstack().config_of(id)->vcpus, 1U);
}

TEST_F(Vcpus, TheLaterRequestCounts) {
  const DomId id = create_with(1, 4);
  auto first = set_later(id, 4);
  set_guest_vcpu(id, 1, true);
  auto second = set_later(id, 2);
  // Whichever of them asked last: one ends with what the guest did, the other for its sake.
  const auto state = second.get();
  if (state) {
    expect_refusal(first.get(), ErrorCode::interrupted, "another change");
  } else {
    expect_refusal(state, ErrorCode::interrupted, "another change");
    set_guest_vcpu(id, 2, true);
    set_guest_vcpu(id, 3, true);
    EXPECT_TRUE(first.get());
  }
}

TEST_F(Vcpus, WaitsNoLongerThanTheDomainLives) {
  const DomId id = create_with(1, 2);
  auto waiting = set_later(id, 2);
  ASSERT_TRUE(fake().guest_shutdown(id, hv::ShutdownReason::crash));
  EXPECT_FALSE(waiting.get());
}

TEST_F(Vcpus, CanBeCancelled) {
  std::stop_source cancel;
  auto waiting = set_later(create_with(1, 2), 2, cancel.get_token());
  cancel.request_stop();
  expect_refusal(waiting.get(), ErrorCode::interrupted, "cancelled");
}

using Triggers = Vcpus;

TEST_F(Triggers, ReachTheHypervisor) {
  const DomId id = create_with(2, 3);
  ASSERT_TRUE(toolstack().send_trigger(id, "nmi", VcpuId(1)));
  ASSERT_TRUE(toolstack().send_trigger(id, "reset", VcpuId(0)));
  ASSERT_TRUE(toolstack().send_trigger(id, "init", VcpuId(1)));
  using hv::Trigger;
  EXPECT_EQ(*fake().guest_triggers(id),
            (std::vector<Trigger>{Trigger::nmi, Trigger::reset, Trigger::init}));
  EXPECT_TRUE(wait_for(Kind::trigger, id));
}

TEST_F(Triggers, AreRefusedWithTheReason) {
  const DomId id = create_with(1, 2);
  const auto code = [&](const char* trigger, std::uint32_t vcpu) {
    const auto sent = toolstack().send_trigger(id, trigger, VcpuId(vcpu));
    EXPECT_FALSE(sent);
    return sent ? ErrorCode::internal : sent.error().code;
  };
  for (const char* const button : {"power", "sleep", "s3resume"}) {
    EXPECT_EQ(code(button, 0), ErrorCode::not_supported) << button;
  }
  EXPECT_EQ(code("frob", 0), ErrorCode::invalid_argument);
  EXPECT_EQ(code("nmi", 2), ErrorCode::invalid_argument);
  EXPECT_EQ(code("nmi", 1), ErrorCode::busy) << "offline";
  EXPECT_EQ(code("init", 0), ErrorCode::not_supported);
  ASSERT_TRUE(fake().guest_triggers(id));
  EXPECT_TRUE(fake().guest_triggers(id)->empty());
}

}  // namespace
}  // namespace xl::toolstack
