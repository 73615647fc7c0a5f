// SPDX-License-Identifier: Apache-2.0
// What a domain is asked to have, and what it may have. The test plays the guest's balloon driver.
#include "libxl++/toolstack/memory_size.hpp"
#include "tests/toolstack/toolstack_fixture.hpp"

namespace xl::toolstack {
namespace {

using fixture::ToolstackTest;
using hv::fake::Call;

class Memory : public ToolstackTest {
 protected:
  DomId create_with(Bytes memory, Bytes most) {
    config::DomainConfig made = config();
    made.memory = memory;
    made.max_memory = most;
    return create(made);
  }
  Pages listed(DomId id) {
    const auto rows = toolstack().list();
    EXPECT_TRUE(rows);
    for (const DomainSummary& row : *rows) {
      if (row.info.id == id) {
        return row.info.memory;
      }
    }
    return Pages(0);
  }
  void expect_refusal(const Result<MemoryState>& result, ErrorCode code, const std::string& word) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << describe(result.error());
    EXPECT_NE(describe(result.error()).find(word), std::string::npos) << describe(result.error());
  }
};

TEST_F(Memory, IsOnDemandBelowMaxmem) {
  const DomId id = create_with(mib(16), mib(64));
  const auto info = fake().domain_info(id);
  ASSERT_TRUE(info);
  EXPECT_LT(info->memory, to_pages_up(mib(2))) << "what the build needs";
  EXPECT_GE(info->memory + info->on_demand, to_pages_up(mib(16)));
  EXPECT_LE(info->memory + info->on_demand, to_pages_up(mib(16)) + target_slack);
  EXPECT_EQ(listed(id).count() / 256, 16U) << "as xl list shows it";
  const auto state = toolstack().memory_state(id);
  ASSERT_TRUE(state) << describe(state.error());
  EXPECT_EQ(state->target, mib(16));
  EXPECT_EQ(state->static_max, mib(64));
  EXPECT_FALSE(state->has_driver);
}

TEST_F(Memory, IsPopulatedWhereMaxmemIsTheSame) {
  const DomId id = create_with(mib(16), mib(16));
  EXPECT_GE(fake().domain_info(id)->memory, to_pages_up(mib(16)));
  EXPECT_EQ(fake().domain_info(id)->on_demand, Pages(0));
}

TEST_F(Memory, TargetGoesToTheHypervisorAndTheGuest) {
  const DomId id = create_with(mib(16), mib(64));
  const auto state = toolstack().set_memory(id, mib(48));
  ASSERT_TRUE(state) << describe(state.error());
  EXPECT_EQ(state->target, mib(48));
  EXPECT_EQ(fake().domain_info(id)->max_memory, to_pages_up(mib(48)) + target_slack);
  EXPECT_EQ(listed(id).count() / 256, 48U);
  const auto event = wait_for(LifecycleEvent::Kind::memory, id);
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<std::uint64_t>(event->details.at(0).value), 48U << 10);
}

TEST_F(Memory, RefusesWhatCannotBe) {
  const DomId id = create_with(mib(16), mib(64));
  expect_refusal(toolstack().set_memory(id, mib(65)), ErrorCode::invalid_argument,
                 "larger maxmem=");
  expect_refusal(toolstack().set_memory(id, kib(512)), ErrorCode::invalid_argument,
                 "1 MiB or more");
  expect_refusal(toolstack().set_memory(DomId(99), mib(16)), ErrorCode::not_found, "99");
  ASSERT_TRUE(toolstack().set_memory(id, mib(32)));
  const auto low = toolstack().set_max_memory(id, mib(31));
  ASSERT_FALSE(low);
  EXPECT_NE(describe(low.error()).find("mem-set"), std::string::npos) << describe(low.error());
}

TEST_F(Memory, TheMaximumIsTheHypervisorsAndTheNodes) {
  const DomId id = create_with(mib(16), mib(64));
  ASSERT_TRUE(toolstack().set_max_memory(id, mib(100)));
  EXPECT_EQ(fake().domain_info(id)->max_memory, to_pages_up(mib(100)) + target_slack);
  EXPECT_EQ(toolstack().memory_state(id)->static_max, mib(100));
  EXPECT_EQ(toolstack().libxl_listing(id)->max_memory, mib(100));
  expect_refusal(toolstack().set_memory(id, mib(65)), ErrorCode::invalid_argument, "made for");
  ASSERT_TRUE(toolstack().set_max_memory(id, mib(48)));
  expect_refusal(toolstack().set_memory(id, mib(49)), ErrorCode::invalid_argument, "xl mem-max");
  EXPECT_TRUE(toolstack().set_memory(id, mib(48)));
}

TEST_F(Memory, AFailureLeavesTheCapAsItWas) {
  const DomId id = create_with(mib(16), mib(64));
  const Pages before = fake().domain_info(id)->max_memory;
  fake().fail_nth(Call::set_memory_target);
  expect_refusal(toolstack().set_memory(id, mib(32)), ErrorCode::no_memory, "");
  EXPECT_EQ(fake().domain_info(id)->max_memory, before);
  EXPECT_EQ(toolstack().memory_state(id)->target, mib(16));
}

}  // namespace
}  // namespace xl::toolstack
