// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::Op;

class HypercallTest : public testing::Test {
 protected:
  std::int64_t call(std::uint64_t number, std::initializer_list<std::uint64_t> args) {
    return m.call(m.vcpu(id), number, args);
  }
  Machine m;
  std::uint32_t id = m.start(64, 2);
};

// What Xen 4.17 keeps from an HVM container, by number.
TEST_F(HypercallTest, OutsideOfThePvhTableIsNosys) {
  for (const int number :
       {__HYPERVISOR_set_trap_table, __HYPERVISOR_mmu_update, __HYPERVISOR_set_gdt,
        __HYPERVISOR_stack_switch, __HYPERVISOR_set_callbacks, __HYPERVISOR_fpu_taskswitch,
        __HYPERVISOR_sched_op_compat, __HYPERVISOR_update_descriptor,
        __HYPERVISOR_update_va_mapping, __HYPERVISOR_event_channel_op_compat,
        __HYPERVISOR_physdev_op_compat, __HYPERVISOR_iret, __HYPERVISOR_set_segment_base,
        __HYPERVISOR_nmi_op, __HYPERVISOR_callback_op, __HYPERVISOR_physdev_op,
        __HYPERVISOR_tmem_op}) {
    EXPECT_EQ(call(static_cast<std::uint64_t>(number), {0, 0, 0}), -XEN_ENOSYS) << number;
  }
  EXPECT_EQ(call(64, {}), -XEN_ENOSYS);
  EXPECT_EQ(call(~0ULL, {}), -XEN_ENOSYS);
}

TEST_F(HypercallTest, VersionIsThatOfXen417) {
  EXPECT_EQ(call(__HYPERVISOR_xen_version, {XENVER_version}), 4 << 16 | 17);
  xen_feature_info info{0, 0};
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_xen_version, XENVER_get_features, info), 0);
  for (const int feature : {XENFEAT_auto_translated_physmap, XENFEAT_hvm_callback_vector,
                            XENFEAT_hvm_safe_pvclock, XENFEAT_not_direct_mapped}) {
    EXPECT_NE(info.submap & 1U << feature, 0U) << feature;
  }
  EXPECT_EQ(info.submap & 1U << XENFEAT_dom0, 0U);
  xen_extraversion_t extra;
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_xen_version, XENVER_extraversion, extra), 0);
  EXPECT_EQ(extra[0], '.');
  EXPECT_EQ(call(__HYPERVISOR_xen_version, {XENVER_get_features, 1ULL << 45}), -XEN_EFAULT);
  EXPECT_EQ(call(__HYPERVISOR_xen_version, {XENVER_pagesize, 0}), 4096);
}

TEST_F(HypercallTest, SharedInfoComesWithClockAndWallClock) {
  xen_add_to_physmap op{DOMID_SELF, 0, XENMAPSPACE_shared_info, 0, 50};
  ASSERT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, XENMEM_add_to_physmap, op), 0);
  EXPECT_EQ(m.domain(id).pages, 63U) << "the page that was there went back";
  const auto shared = m.peek<shared_info>(m.vcpu(id), 50 * 4096);
  EXPECT_EQ(shared.wc_sec, 1'700'000'000U);
  EXPECT_EQ(shared.wc_nsec, 123'456'789U);
  EXPECT_EQ(shared.wc_version % 2, 0U);
  const vcpu_time_info& time = shared.vcpu_info[0].time;
  EXPECT_EQ(time.version % 2, 0U);
  // What a guest computes is what the hypervisor counts.
  const std::uint64_t delta = (m.platform.now - time.tsc_timestamp) << time.tsc_shift;
  EXPECT_EQ(time.system_time + (delta >> 32) * time.tsc_to_system_mul +
                ((delta & 0xffffffff) * time.tsc_to_system_mul >> 32),
            m.platform.now);
}

TEST_F(HypercallTest, A32BitGuestSeesItsOwnLayout) {
  m.poke<std::uint32_t>(m.vcpu(id), 0x1000, 0x0000'7ff0);  // domid, size
  m.poke<std::array<std::uint32_t, 3>>(m.vcpu(id), 0x1004, {XENMAPSPACE_shared_info, 0, 50});
  EXPECT_EQ(m.call(m.vcpu(id), __HYPERVISOR_memory_op, {XENMEM_add_to_physmap, 0x1000}, false), 0);
  EXPECT_TRUE(m.domain(id).narrow);
  EXPECT_EQ(m.peek<std::uint32_t>(m.vcpu(id), 50 * 4096 + 2308), 1'700'000'000U);
  // pending_sel is the word at 4, and a word of pending bits has 32.
  evtchn_bind_ipi op{0, 0};
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, op, false),
              0);
  }
  evtchn_send send{op.port};
  m.call_with(m.vcpu(id), __HYPERVISOR_event_channel_op, EVTCHNOP_send, send, false);
  EXPECT_EQ(m.peek<std::uint32_t>(m.vcpu(id), 50 * 4096 + 4), 1U << (op.port / 32));
}

// --- memory ---

class MemoryOpTest : public HypercallTest {
 protected:
  std::int64_t change(std::uint64_t command, const std::vector<std::uint64_t>& gfns,
                      std::uint32_t order = 0) {
    for (std::size_t i = 0; i < gfns.size(); ++i) {
      m.poke(m.vcpu(id), 0x4000 + i * 8, gfns[i]);
    }
    xen_memory_reservation op{};
    op.extent_start.p = reinterpret_cast<xen_pfn_t*>(0x4000);
    op.nr_extents = gfns.size();
    op.extent_order = order;
    op.domid = DOMID_SELF;
    return m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, command, op);
  }
};

TEST_F(MemoryOpTest, BalloonsDownAndUp) {
  m.poke<std::uint64_t>(m.vcpu(id), 60 * 4096, 0x77);
  EXPECT_EQ(change(XENMEM_decrease_reservation, {60, 61}), 2);
  EXPECT_EQ(m.domain(id).pages, 62U);
  EXPECT_EQ(change(XENMEM_decrease_reservation, {60}), 0) << "nothing is there any more";
  EXPECT_EQ(change(XENMEM_populate_physmap, {60, 61, 70}), 3);
  EXPECT_EQ(m.peek<std::uint64_t>(m.vcpu(id), 60 * 4096), 0U) << "new memory is zero";
  m.poke<std::uint64_t>(m.vcpu(id), 60 * 4096, 0x77);
  EXPECT_EQ(change(XENMEM_populate_physmap, {60}), 1) << "another frame instead";
  EXPECT_EQ(m.peek<std::uint64_t>(m.vcpu(id), 60 * 4096), 0U);
  EXPECT_EQ(m.domain(id).pages, 65U);
  EXPECT_EQ(change(XENMEM_populate_physmap, {1ULL << 40}), 0);
  m.settle();
}

TEST_F(MemoryOpTest, MaxMemoryIsTheEnd) {
  std::vector<std::uint64_t> gfns;
  for (std::uint64_t i = 0; i < 20; ++i) {
    gfns.push_back(100 + i);
  }
  EXPECT_EQ(change(XENMEM_populate_physmap, gfns), 16);
  EXPECT_EQ(m.domain(id).pages.load(), m.domain(id).max_pages);
}

// 64 pages of 80.
TEST_F(MemoryOpTest, WhatHasNoPlaceIsCountedAndTakesNoFrame) {
  TestDomain& domain = m.domain(id);
  const std::uint64_t free = m.hv->parts().core.frames.counts().free();
  EXPECT_EQ(change(XENMEM_increase_reservation, {0, 0, 0}), 3);
  EXPECT_EQ(domain.counted_pages(), 67U);
  EXPECT_EQ(change(XENMEM_populate_physmap, {60, 60}), 2);
  EXPECT_EQ(domain.counted_pages(), 69U);
  m.settle();
  EXPECT_EQ(m.hv->parts().core.frames.counts().free(), free);
  EXPECT_EQ(change(XENMEM_decrease_reservation, {60, 61}), 2);
  EXPECT_EQ(domain.counted_pages(), 67U) << "what has no place cannot be given up";
  EXPECT_EQ(change(XENMEM_populate_physmap, {60, 61}), 2);
}

TEST_F(MemoryOpTest, WhatHasNoPlaceIsWithinMaxMemory) {
  TestDomain& domain = m.domain(id);
  EXPECT_EQ(change(XENMEM_increase_reservation, std::vector<std::uint64_t>(20, 0), 2), 4);
  EXPECT_EQ(domain.counted_pages(), domain.max_pages);
  EXPECT_EQ(change(XENMEM_increase_reservation, {0}), 0);
  EXPECT_EQ(change(XENMEM_populate_physmap, {60}), 0) << "over RAM";
  EXPECT_EQ(change(XENMEM_populate_physmap, {100}), 0);
  EXPECT_EQ(change(XENMEM_decrease_reservation, {60}), 1);
  EXPECT_EQ(change(XENMEM_populate_physmap, {60, 60}), 1) << "only what was given up";
  const std::uint64_t max = domain.max_pages;
  domain.max_pages = 10;  // as a toolstack may
  EXPECT_EQ(change(XENMEM_increase_reservation, {0}), 0);
  domain.max_pages = max;
}

TEST_F(MemoryOpTest, LongListsAreDoneInPieces) {
  const std::uint32_t big = m.start(600);
  std::vector<std::uint64_t> gfns;
  for (std::uint64_t i = 100; i < 400; ++i) {
    gfns.push_back(i);
  }
  id = big;
  m.platform.now_step = 10'000;
  EXPECT_EQ(change(XENMEM_decrease_reservation, gfns), 300);
  EXPECT_GE(m.restarts, 5);
  EXPECT_LE(m.restarts, 7);
  EXPECT_EQ(m.domain(id).pages, 300U);
}

TEST_F(MemoryOpTest, MapIsWhatTheToolstackSaid) {
  const std::vector<xl::abi::MemoryMapRecord> rows{{0, 0x40000, 1, 0}, {0x100000, 0x1000, 2, 0}};
  ASSERT_EQ(m.request_rows(Op::set_memory_map, id, rows).status, 0);
  xen_memory_map op{};
  op.nr_entries = 8;
  op.buffer.p = reinterpret_cast<void*>(0x5000);
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, XENMEM_memory_map, op), 0);
  EXPECT_EQ(op.nr_entries, 2U);
  EXPECT_EQ(m.peek<std::uint64_t>(m.vcpu(id), 0x5000 + 20), 0x100000U);
  EXPECT_EQ(m.peek<std::uint32_t>(m.vcpu(id), 0x5000 + 36), 2U);
}

TEST_F(MemoryOpTest, AnswersQuestionsAboutItself) {
  domid_t self = DOMID_SELF;
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, XENMEM_current_reservation, self), 64);
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, XENMEM_maximum_reservation, self), 80);
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, XENMEM_maximum_gpfn, self), 63);
  self = 99;
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_memory_op, XENMEM_current_reservation, self),
            -XEN_ESRCH);
}

// --- vcpus and time ---

TEST_F(HypercallTest, SingleshotTimerRaisesItsVirq) {
  evtchn_bind_virq bind{VIRQ_TIMER, 0, 0};
  m.call_with(m.vcpu(id), __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, bind);
  vcpu_set_singleshot_timer op{m.platform.now + 5000, 0};
  m.poke(m.vcpu(id), 0x1000, op);
  m.rounds();
  m.platform.cpu = m.vcpu(id).cpu;
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_set_singleshot_timer, 0, 0x1000}), 0);
  EXPECT_EQ(m.round(m.platform.cpu).deadline, op.timeout_abs_ns);
  EXPECT_FALSE(m.vcpu(id).info.upcall_pending());
  m.platform.now += 5000;
  m.rounds();
  EXPECT_TRUE(m.vcpu(id).info.upcall_pending());
  op = {1, VCPU_SSHOTTMR_future};
  m.poke(m.vcpu(id), 0x1000, op);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_set_singleshot_timer, 0, 0x1000}), -XEN_ETIME);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_set_singleshot_timer, 1, 0x1000}), -XEN_EINVAL)
      << "another vcpu's";
}

TEST_F(HypercallTest, PeriodicTimerGoesOn) {
  evtchn_bind_virq bind{VIRQ_TIMER, 0, 0};
  m.call_with(m.vcpu(id), __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, bind);
  m.poke<std::uint64_t>(m.vcpu(id), 0x1000, 999'999);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_set_periodic_timer, 0, 0x1000}), -XEN_EINVAL);
  m.poke<std::uint64_t>(m.vcpu(id), 0x1000, 1'000'000);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_set_periodic_timer, 0, 0x1000}), 0);
  for (int i = 0; i < 3; ++i) {
    std::memset(m.vcpu(id).info.data(), 0, 16);
    std::memset(m.domain(id).shared.pending(), 0, 64);
    m.platform.now += 1'000'000;
    m.rounds();
    EXPECT_TRUE(m.vcpu(id).info.upcall_pending()) << i;
  }
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_stop_periodic_timer, 0, 0}), 0);
  EXPECT_EQ(m.core().timers.next(0), never);
}

TEST_F(HypercallTest, RunstateAreaIsWrittenWhenTheVcpuComesBack) {
  m.poke<std::uint64_t>(m.vcpu(id), 0x1000, 0x6000);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_register_runstate_memory_area, 0, 0x1000}), 0);
  m.rounds();
  m.hv->block(m.vcpu(id));
  m.rounds();
  m.platform.now += 1000;
  m.hv->wake(m.vcpu(id));
  m.rounds();
  const auto area = m.peek<vcpu_runstate_info>(m.vcpu(id), 0x6000);
  EXPECT_EQ(area.state, RUNSTATE_running);
  EXPECT_EQ(area.time[RUNSTATE_blocked], 1000U);
  EXPECT_EQ(area.state_entry_time, m.platform.now);
}

TEST_F(HypercallTest, LastVcpuThatGoesDownEndsTheDomain) {
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_down, 1, 0}), 0);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_is_up, 1, 0}), 0);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_up, 1, 0}), 0);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_is_up, 1, 0}), 1);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_down, 1, 0}), 0);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_down, 0, 0}), 0);
  EXPECT_TRUE(m.domain(id).shut_down);
  EXPECT_EQ(call(__HYPERVISOR_vcpu_op, {VCPUOP_is_up, 2, 0}), -XEN_ENOENT);
}

TEST_F(HypercallTest, ShutdownTellsTheHost) {
  sched_shutdown op{SHUTDOWN_crash};
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_sched_op, SCHEDOP_shutdown, op), 0);
  EXPECT_EQ(m.header().state_changed, 1U);
  EXPECT_EQ(m.domain(id).shutdown_reason, static_cast<std::uint32_t>(SHUTDOWN_crash));
  EXPECT_NE(m.log().find("SHUTDOWN_crash"), std::string::npos);
  EXPECT_NE(m.log().find("last hypercall 29 sched_op"), std::string::npos) << m.log();
  const auto ids = m.request(Op::take_state_changes).rows<std::uint32_t>();
  EXPECT_EQ(ids, std::vector<std::uint32_t>{id});
  EXPECT_TRUE(m.request(Op::take_state_changes).bulk.empty());
}

TEST_F(HypercallTest, WatchdogEndsADomainThatDoesNotCare) {
  sched_watchdog op{0, 1};
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_sched_op, SCHEDOP_watchdog, op), 1);
  op = {1, 2};
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_sched_op, SCHEDOP_watchdog, op), 0);
  m.platform.now += 1'500'000'000;
  m.rounds();
  EXPECT_FALSE(m.domain(id).shut_down);
  m.platform.now += 1'000'000'000;
  m.rounds();
  EXPECT_TRUE(m.domain(id).shut_down);
  EXPECT_EQ(m.domain(id).shutdown_reason, static_cast<std::uint32_t>(SHUTDOWN_watchdog));
  op = {2, 1};
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_sched_op, SCHEDOP_watchdog, op), -XEN_EINVAL);
}

// --- parameters, console, multicall ---

TEST_F(HypercallTest, ParametersHaveXensRules) {
  const auto set = [&](std::uint32_t index, std::uint64_t value) {
    xen_hvm_param op{DOMID_SELF, 0, index, value};
    return m.call_with(m.vcpu(id), __HYPERVISOR_hvm_op, HVMOP_set_param, op);
  };
  const auto get = [&](std::uint32_t index) {
    xen_hvm_param op{DOMID_SELF, 0, index, 0};
    const std::int64_t result = m.call_with(m.vcpu(id), __HYPERVISOR_hvm_op, HVMOP_get_param, op);
    return std::pair(result, op.value);
  };
  const std::vector<xl::abi::HvmParamRecord> rows{{HVM_PARAM_STORE_PFN, 0, 0xfeff0}};
  ASSERT_EQ(m.request_rows(Op::set_hvm_params, id, rows).status, 0);
  EXPECT_EQ(get(HVM_PARAM_STORE_PFN), std::pair(std::int64_t{0}, std::uint64_t{0xfeff0}));
  EXPECT_EQ(set(HVM_PARAM_STORE_PFN, 1), -XEN_EPERM);
  EXPECT_EQ(set(HVM_PARAM_CALLBACK_IRQ, 2ULL << 56 | 0xf3), 0);
  EXPECT_EQ(set(HVM_PARAM_PAE_ENABLED, 1), -XEN_EINVAL);
  EXPECT_EQ(set(HVM_NR_PARAMS, 1), -XEN_EINVAL);
  EXPECT_EQ(get(HVM_PARAM_IDENT_PT).first, -XEN_EPERM);
}

TEST_F(HypercallTest, TheLogIsNotTheGuests) {
  m.poke<std::array<char, 2>>(m.vcpu(id), 0x1000, {'x', '\n'});
  const std::uint64_t before = m.header().log_written;
  constexpr std::uint64_t unknown = 7;
  for (const std::uint64_t command :
       {std::uint64_t{CONSOLEIO_write}, std::uint64_t{CONSOLEIO_read}, unknown}) {
    EXPECT_EQ(call(__HYPERVISOR_console_io, {command, 2, 0x1000}), -XEN_EPERM);
  }
  EXPECT_EQ(m.header().log_written, before);
}

TEST_F(HypercallTest, MulticallDoesEachAndGoesOn) {
  std::array<multicall_entry, 100> calls{};
  for (multicall_entry& entry : calls) {
    entry.op = __HYPERVISOR_xen_version;
    entry.args[0] = XENVER_version;
  }
  calls[1].op = __HYPERVISOR_multicall;
  calls[2].op = 999;
  m.poke(m.vcpu(id), 0x8000, calls);
  EXPECT_EQ(call(__HYPERVISOR_multicall, {0x8000, calls.size()}), 0);
  EXPECT_EQ(m.restarts, 3);
  calls = m.peek<decltype(calls)>(m.vcpu(id), 0x8000);
  EXPECT_EQ(calls[0].result, 4U << 16 | 17U);
  EXPECT_EQ(static_cast<std::int64_t>(calls[1].result), -XEN_EINVAL);
  EXPECT_EQ(static_cast<std::int64_t>(calls[2].result), -XEN_ENOSYS);
  EXPECT_EQ(calls[99].result, 4U << 16 | 17U);
}

TEST_F(HypercallTest, CrashIsReportedOnceWithRegisters) {
  m.vcpu(id).arch.context.rip = 0xdeadbeef;
  call(__HYPERVISOR_xen_version, {XENVER_version});
  m.hv->crash(m.vcpu(id), {"unhandled exit", 0x7f, 1, 2});
  EXPECT_NE(m.log().find("d1 v0 crashed: unhandled exit, exit 0x7f"), std::string::npos) << m.log();
  EXPECT_NE(m.log().find("rip 0xdeadbeef"), std::string::npos);
  EXPECT_NE(m.log().find("last hypercall 17 xen_version"), std::string::npos);
  const std::size_t size = m.log().size();
  m.hv->crash(m.vcpu(id), {"again", 0, 0, 0});
  EXPECT_EQ(m.log().size(), size);
  EXPECT_EQ(m.domain(id).shutdown_reason, static_cast<std::uint32_t>(SHUTDOWN_crash));
}

TEST_F(HypercallTest, ATripleFaultIsAReportedReboot) {
  m.hv->crash(m.vcpu(id), {"triple fault", 0x7f, 0, 0, true});
  EXPECT_NE(m.log().find("d1 v0 crashed: triple fault"), std::string::npos) << m.log();
  EXPECT_EQ(m.domain(id).shutdown_reason, static_cast<std::uint32_t>(SHUTDOWN_reboot));
}

}  // namespace
}  // namespace hyp::test
