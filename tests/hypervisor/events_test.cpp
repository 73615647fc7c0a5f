// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::Op;

class EventsTest : public testing::Test {
 protected:
  template <typename T>
  std::int64_t event_op(std::uint64_t command, T& op, unsigned vcpu = 0) {
    return m.call_with(m.vcpu(id, vcpu), __HYPERVISOR_event_channel_op, command, op);
  }
  evtchn_port_t bind_ipi(unsigned vcpu) {
    evtchn_bind_ipi op{vcpu, 0};
    EXPECT_EQ(event_op(EVTCHNOP_bind_ipi, op), 0);
    return op.port;
  }
  std::int64_t send(evtchn_port_t port) {
    evtchn_send op{port};
    return event_op(EVTCHNOP_send, op);
  }
  bool pending(evtchn_port_t port) {
    return shared_word::test_bit(m.domain(id).shared.pending(), port);
  }
  void set_mask(evtchn_port_t port, bool on) {
    std::byte* const mask = m.domain(id).shared.mask(false);
    on ? shared_word::test_and_set(mask, port) : shared_word::test_and_clear(mask, port);
  }
  // As a guest's upcall handler: takes everything.
  void consume(unsigned vcpu = 0) {
    std::memset(m.vcpu(id, vcpu).info.data(), 0, 16);
    std::memset(m.domain(id).shared.pending(), 0, 512);
  }

  Machine m;
  std::uint32_t id = m.start(64, 2);
};

TEST_F(EventsTest, HostAndGuestNotifyEachOther) {
  const auto port = m.request(Op::event_alloc_unbound, id, {0}).results[0];
  const auto local = m.request(Op::event_bind, id, {port}).results[0];
  EXPECT_TRUE(m.host_event(local)) << "once at the start, as something may have been sent before";
  m.clear_host_event(local);
  m.header().host_sleeping = xl::abi::sleeping_for_events;
  const unsigned rings = m.platform.rings;
  EXPECT_EQ(send(static_cast<evtchn_port_t>(port)), 0);
  EXPECT_TRUE(m.host_event(local));
  EXPECT_EQ(m.platform.rings, rings + 1);
  EXPECT_EQ(send(static_cast<evtchn_port_t>(port)), 0);
  EXPECT_EQ(m.platform.rings, rings + 1) << "pending already, and nobody sleeps";
  EXPECT_EQ(m.request(Op::event_notify, 0, {local}).status, 0);
  EXPECT_TRUE(pending(static_cast<evtchn_port_t>(port)));
  EXPECT_TRUE(m.vcpu(id).info.upcall_pending());
}

TEST_F(EventsTest, AnEventAsksForTheCallbackVectorUntilTheGuestClearsIt) {
  xen_hvm_param param{DOMID_SELF, 0, HVM_PARAM_CALLBACK_IRQ, 2ULL << 56 | 0xf3};
  ASSERT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_hvm_op, HVMOP_set_param, param), 0);
  const evtchn_port_t port = bind_ipi(0);
  EXPECT_FALSE(m.hv->upcall_vector(m.vcpu(id)).has_value());
  send(port);
  EXPECT_EQ(m.hv->upcall_vector(m.vcpu(id)), 0xf3);
  EXPECT_TRUE(m.hv->has_event(m.vcpu(id)));
  consume();
  EXPECT_FALSE(m.hv->upcall_vector(m.vcpu(id)).has_value());
}

TEST_F(EventsTest, APerVcpuVectorGoesToTheLapicOnce) {
  xen_hvm_evtchn_upcall_vector op{1, 0xee};
  ASSERT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, op), 0);
  TestVcpu& target = m.vcpu(id, 1);
  target.arch.irr = {};
  send(bind_ipi(1));
  EXPECT_EQ(target.arch.irr[0xee / 64], 1ULL << (0xee % 64));
  EXPECT_FALSE(m.hv->upcall_vector(target).has_value());
  op = {0, 0x0f};
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, op),
            -XEN_EINVAL);
}

TEST_F(EventsTest, BothKindsOfUpcallComeWhereBothAreSet) {
  xen_hvm_param param{DOMID_SELF, 0, HVM_PARAM_CALLBACK_IRQ, 2ULL << 56 | 0xf3};
  ASSERT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_hvm_op, HVMOP_set_param, param), 0);
  xen_hvm_evtchn_upcall_vector op{0, 0xee};
  ASSERT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, op), 0);
  m.vcpu(id).arch.irr = {};
  send(bind_ipi(0));
  EXPECT_EQ(m.vcpu(id).arch.irr[0xee / 64], 1ULL << (0xee % 64));
  EXPECT_EQ(m.hv->upcall_vector(m.vcpu(id)), 0xf3);
}

TEST_F(EventsTest, AnUpcallThatTheLapicMissedComesWhenItIsOn) {
  TestVcpu& vcpu = m.vcpu(id);
  const auto repeated = [&] {
    vcpu.arch.irr = {};
    m.hv->repeat_upcall(vcpu);
    return vcpu.arch.irr[0xee / 64] != 0;
  };
  send(bind_ipi(0));
  EXPECT_FALSE(repeated()) << "it has no vector of its own";
  xen_hvm_evtchn_upcall_vector op{0, 0xee};
  ASSERT_EQ(m.call_with(vcpu, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, op), 0);
  EXPECT_TRUE(repeated());
  consume();
  EXPECT_FALSE(repeated()) << "nothing is pending";
}

TEST_F(EventsTest, AMaskedEventWaitsForUnmask) {
  const evtchn_port_t port = bind_ipi(0);
  set_mask(port, true);
  send(port);
  EXPECT_TRUE(pending(port));
  EXPECT_FALSE(m.vcpu(id).info.upcall_pending());
  evtchn_unmask op{port};
  EXPECT_EQ(event_op(EVTCHNOP_unmask, op), 0);
  EXPECT_TRUE(m.vcpu(id).info.upcall_pending());
}

TEST_F(EventsTest, AnEventWakesABlockedVcpu) {
  const evtchn_port_t port = bind_ipi(1);
  m.rounds();
  m.hv->block(m.vcpu(id, 1));
  m.rounds();
  EXPECT_TRUE(m.vcpu(id, 1).blocked);
  send(port);
  EXPECT_FALSE(m.vcpu(id, 1).blocked);
}

TEST_F(EventsTest, VirqsAreBoundOnce) {
  evtchn_bind_virq op{VIRQ_TIMER, 1, 0};
  EXPECT_EQ(event_op(EVTCHNOP_bind_virq, op), 0);
  EXPECT_EQ(event_op(EVTCHNOP_bind_virq, op), -XEN_EEXIST);
  m.hv->parts().events.raise_virq(m.vcpu(id, 1), VIRQ_TIMER);
  EXPECT_TRUE(pending(op.port));
  op = {NR_VIRQS, 0, 0};
  EXPECT_EQ(event_op(EVTCHNOP_bind_virq, op), -XEN_EINVAL);
  op = {VIRQ_TIMER, 2, 0};
  EXPECT_EQ(event_op(EVTCHNOP_bind_virq, op), -XEN_ENOENT);
  op = {VIRQ_DOM_EXC, 1, 0};
  EXPECT_EQ(event_op(EVTCHNOP_bind_virq, op), -XEN_EINVAL) << "global ones belong to vcpu 0";
}

TEST_F(EventsTest, PirqsHaveAPortEachThatNeverFires) {
  evtchn_bind_pirq op{5, 0, 0};
  EXPECT_EQ(event_op(EVTCHNOP_bind_pirq, op), 0);
  const evtchn_port_t port = op.port;
  EXPECT_EQ(event_op(EVTCHNOP_bind_pirq, op), -XEN_EEXIST);
  op.pirq = max_guest_pirqs;
  EXPECT_EQ(event_op(EVTCHNOP_bind_pirq, op), -XEN_EINVAL);
  evtchn_status status{DOMID_SELF, port};
  EXPECT_EQ(event_op(EVTCHNOP_status, status), 0);
  EXPECT_EQ(status.status, static_cast<std::uint32_t>(EVTCHNSTAT_pirq));
  EXPECT_EQ(status.u.pirq, 5U);
  EXPECT_EQ(send(port), -XEN_EINVAL);
  evtchn_bind_vcpu move{port, 1};
  EXPECT_EQ(event_op(EVTCHNOP_bind_vcpu, move), 0);
  evtchn_close close{port};
  EXPECT_EQ(event_op(EVTCHNOP_close, close), 0);
  op.pirq = 5;
  EXPECT_EQ(event_op(EVTCHNOP_bind_pirq, op), 0);
}

TEST_F(EventsTest, OnlyPortsThatWereMadeHaveAStatus) {
  const auto status_of = [&](evtchn_port_t port) {
    evtchn_status status{DOMID_SELF, port};
    return event_op(EVTCHNOP_status, status);
  };
  EXPECT_EQ(status_of(63), 0);
  EXPECT_EQ(status_of(64), -XEN_EINVAL);
  for (evtchn_port_t port = 0; port < 64; port = bind_ipi(0)) {
  }
  EXPECT_EQ(status_of(127), 0);
  EXPECT_EQ(status_of(128), -XEN_EINVAL);
}

TEST_F(EventsTest, RefusesWhatIsNotTheGuests) {
  EXPECT_EQ(send(0), -XEN_EINVAL);
  EXPECT_EQ(send(4095), -XEN_EINVAL);
  EXPECT_EQ(send(~0U), -XEN_EINVAL);
  const std::uint32_t other = m.make(0);
  evtchn_alloc_unbound alloc{static_cast<domid_t>(other), 0, 0};
  EXPECT_EQ(event_op(EVTCHNOP_alloc_unbound, alloc), -XEN_EPERM);
  alloc.dom = 77;
  EXPECT_EQ(event_op(EVTCHNOP_alloc_unbound, alloc), -XEN_ESRCH);
  // A port that waits for somebody else.
  const auto theirs = m.request(Op::event_alloc_unbound, other, {0}).results[0];
  evtchn_bind_interdomain bind{static_cast<domid_t>(other), static_cast<evtchn_port_t>(theirs), 0};
  EXPECT_EQ(event_op(EVTCHNOP_bind_interdomain, bind), -XEN_EINVAL);
  EXPECT_EQ(m.call(m.vcpu(id), __HYPERVISOR_event_channel_op, {EVTCHNOP_send, 1ULL << 40}),
            -XEN_EFAULT);
  EXPECT_EQ(m.call(m.vcpu(id), __HYPERVISOR_event_channel_op, {999, 0x1000}), -XEN_ENOSYS);
}

TEST_F(EventsTest, TwoGuestsTalkAndTheEndOfOneLeavesTheOtherUnbound) {
  const std::uint32_t other = m.start(64);
  evtchn_alloc_unbound alloc{DOMID_SELF, static_cast<domid_t>(other), 0};
  ASSERT_EQ(event_op(EVTCHNOP_alloc_unbound, alloc), 0);
  evtchn_bind_interdomain bind{static_cast<domid_t>(id), alloc.port, 0};
  ASSERT_EQ(
      m.call_with(m.vcpu(other), __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, bind),
      0);
  EXPECT_EQ(send(alloc.port), 0);
  EXPECT_TRUE(shared_word::test_bit(m.domain(other).shared.pending(), bind.local_port));
  m.request(Op::destroy_domain, other);
  m.settle();
  evtchn_status status{};
  status.dom = DOMID_SELF;
  status.port = alloc.port;
  ASSERT_EQ(event_op(EVTCHNOP_status, status), 0);
  EXPECT_EQ(status.status, static_cast<std::uint32_t>(EVTCHNSTAT_unbound));
  EXPECT_EQ(send(alloc.port), 0) << "dropped";
}

TEST_F(EventsTest, PollWakesForItsPortOrItsTimeout) {
  const evtchn_port_t port = bind_ipi(0);
  set_mask(port, true);
  m.poke(m.vcpu(id), 0x3000, port);
  sched_poll poll{};
  poll.ports.p = reinterpret_cast<evtchn_port_t*>(0x3000);
  poll.nr_ports = 1;
  poll.timeout = m.platform.now + 1000;
  m.rounds();
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_sched_op, SCHEDOP_poll, poll), 0);
  EXPECT_TRUE(m.vcpu(id).blocked);
  send(port);
  EXPECT_FALSE(m.vcpu(id).blocked);
  consume();
  m.rounds();
  EXPECT_EQ(m.call_with(m.vcpu(id), __HYPERVISOR_sched_op, SCHEDOP_poll, poll), 0);
  EXPECT_TRUE(m.vcpu(id).blocked);
  m.platform.now += 2000;
  m.rounds();
  EXPECT_FALSE(m.vcpu(id).blocked);
  EXPECT_EQ(m.domain(id).pollers, 0U);
}

TEST_F(EventsTest, RegisteredVcpuInfoTakesOverAndPinsItsPage) {
  vcpu_register_vcpu_info op{5, 64, 0};
  m.poke(m.vcpu(id), Machine::arg_address, op);
  EXPECT_EQ(m.call(m.vcpu(id), __HYPERVISOR_vcpu_op,
                   {VCPUOP_register_vcpu_info, 0, Machine::arg_address}),
            0);
  EXPECT_EQ(m.call(m.vcpu(id), __HYPERVISOR_vcpu_op,
                   {VCPUOP_register_vcpu_info, 0, Machine::arg_address}),
            -XEN_EINVAL);
  EXPECT_EQ(m.peek<std::uint8_t>(m.vcpu(id), 5 * 4096 + 64), 1) << "looks pending once";
  Guard guard(m.domain(id).memory_lock);
  EXPECT_EQ(m.hv->parts().memory.release(m.domain(id), Gfn(5)).error(), Errno::busy);
}

// --- FIFO ---

class FifoTest : public EventsTest {
 protected:
  static constexpr std::uint64_t control = 10 * 4096;
  static constexpr std::uint64_t array = 11 * 4096;
  void SetUp() override {
    evtchn_init_control init{control >> 12, 0, 0, 0, {}};
    ASSERT_EQ(event_op(EVTCHNOP_init_control, init), 0);
    ASSERT_EQ(init.link_bits, EVTCHN_FIFO_LINK_BITS);
    evtchn_expand_array expand{array >> 12};
    ASSERT_EQ(event_op(EVTCHNOP_expand_array, expand), 0);
  }
  event_word_t word(evtchn_port_t port) {
    return m.peek<event_word_t>(m.vcpu(id), array + port * 4);
  }
  std::uint32_t head(unsigned queue) {
    return m.peek<std::uint32_t>(m.vcpu(id), control + 8 + queue * 4);
  }
  // Takes the head of a queue as a guest does; 0: empty.
  evtchn_port_t take(unsigned queue) {
    const evtchn_port_t port = head(queue);
    if (port == 0) {
      return 0;
    }
    const event_word_t next = word(port) & Fifo<FakePlatform>::link_mask;
    m.poke<event_word_t>(m.vcpu(id), array + port * 4, 0);
    m.poke<std::uint32_t>(m.vcpu(id), control + 8 + queue * 4, next);
    return port;
  }
};

TEST_F(FifoTest, EventsAreTakenInTheOrderOfSending) {
  std::vector<evtchn_port_t> ports;
  for (int i = 0; i < 5; ++i) {
    ports.push_back(bind_ipi(0));
  }
  for (const int i : {3, 0, 4, 3}) {
    EXPECT_EQ(send(ports[static_cast<unsigned>(i)]), 0);
  }
  EXPECT_EQ(m.peek<std::uint32_t>(m.vcpu(id), control), 1U << EVTCHN_FIFO_PRIORITY_DEFAULT);
  EXPECT_TRUE(m.vcpu(id).info.upcall_pending());
  EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), ports[3]);
  EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), ports[0]);
  EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), ports[4]);
  EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), 0U);
  send(ports[1]);
  EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), ports[1]) << "the queue starts anew";
}

TEST_F(FifoTest, PriorityChoosesTheQueue) {
  const evtchn_port_t port = bind_ipi(0);
  evtchn_set_priority op{port, 2};
  EXPECT_EQ(event_op(EVTCHNOP_set_priority, op), 0);
  send(port);
  EXPECT_EQ(take(2), port);
  op.priority = 16;
  EXPECT_EQ(event_op(EVTCHNOP_set_priority, op), -XEN_EINVAL);
}

// As when a guest takes a vcpu offline and another one online: ports are closed and had again.
TEST_F(FifoTest, APortThatIsHadAgainTakesNobodyToItsNewQueue) {
  const evtchn_port_t port = bind_ipi(0);
  const evtchn_port_t other = bind_ipi(0);
  for (const evtchn_port_t each : {port, other}) {
    evtchn_set_priority op{each, 2};
    ASSERT_EQ(event_op(EVTCHNOP_set_priority, op), 0);
  }
  send(port);
  ASSERT_EQ(take(2), port);
  evtchn_close op{port};
  ASSERT_EQ(event_op(EVTCHNOP_close, op), 0);
  ASSERT_EQ(bind_ipi(0), port);
  send(port);
  send(other);
  EXPECT_EQ(head(EVTCHN_FIFO_PRIORITY_DEFAULT), port);
  EXPECT_EQ(head(2), other);
  EXPECT_EQ(word(port) & Fifo<FakePlatform>::link_mask, 0U);
}

TEST_F(FifoTest, MaskedIsLinkedAtUnmask) {
  const evtchn_port_t port = bind_ipi(0);
  m.poke<event_word_t>(m.vcpu(id), array + port * 4, 1U << EVTCHN_FIFO_MASKED);
  send(port);
  EXPECT_EQ(head(EVTCHN_FIFO_PRIORITY_DEFAULT), 0U);
  evtchn_unmask op{port};
  EXPECT_EQ(event_op(EVTCHNOP_unmask, op), 0);
  EXPECT_EQ(take(EVTCHN_FIFO_PRIORITY_DEFAULT), port);
}

TEST_F(FifoTest, PagesInUseStayAndAreFreedByReset) {
  {
    Guard guard(m.domain(id).memory_lock);
    EXPECT_EQ(m.hv->parts().memory.release(m.domain(id), Gfn(control >> 12)).error(), Errno::busy);
    EXPECT_EQ(m.hv->parts().memory.release(m.domain(id), Gfn(array >> 12)).error(), Errno::busy);
  }
  evtchn_reset op{DOMID_SELF};
  EXPECT_EQ(event_op(EVTCHNOP_reset, op), 0);
  const evtchn_port_t port = bind_ipi(0);
  send(port);
  EXPECT_TRUE(pending(port)) << "two levels again";
  Guard guard(m.domain(id).memory_lock);
  EXPECT_TRUE(m.hv->parts().memory.release(m.domain(id), Gfn(array >> 12)).has_value());
}

TEST_F(FifoTest, GuestThatScribblesOverItsQueuesOnlyHurtsItself) {
  std::vector<evtchn_port_t> ports;
  for (int i = 0; i < 20; ++i) {
    ports.push_back(bind_ipi(0));
  }
  for (unsigned round = 0; round < 200; ++round) {
    for (unsigned i = 0; i < 1024; ++i) {
      m.poke<event_word_t>(m.vcpu(id), array + i * 4,
                           (round * 2654435761U + i * 40503U) | 1U << 29);
    }
    EXPECT_EQ(send(ports[round % ports.size()]), 0);
  }
}

}  // namespace
}  // namespace hyp::test
