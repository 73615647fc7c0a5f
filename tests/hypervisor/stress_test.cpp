// SPDX-License-Identifier: Apache-2.0
// Several CPUs at once, each a thread in the main loop, with guests that send events, set timers,
// balloon, grant and die, while the host creates and destroys. At the end every frame is back.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/hypervisor/machine.hpp"

namespace hyp::test {
namespace {

using xl::abi::Op;

class Stress {
 public:
  static constexpr unsigned cpus = 3;

  Stress() : m_(64, cpus), begin_(frames()) {}

  // Until there was enough of everything; a machine that is stuck is ended by the test's own time
  // limit.
  void run(std::uint64_t wanted_calls, unsigned wanted_ends) {
    std::vector<std::thread> threads;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
      threads.emplace_back([this, cpu] { be_cpu(cpu); });
    }
    std::mt19937_64 random(1);
    std::vector<std::uint32_t> ids;
    while (calls < wanted_calls || destroyed < wanted_ends) {
      m_.platform.now += 1'000'000;
      if (ids.size() < 6) {
        ids.push_back(start());
      } else {
        const std::size_t i = random() % ids.size();
        one_request(random, ids[i]);
        if (random() % 8 == 0) {
          ask(Op::destroy_domain, ids[i]);
          ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(i));
          ++destroyed;
        }
      }
    }
    for (const std::uint32_t id : ids) {
      ask(Op::destroy_domain, id);
    }
    stop_ = true;
    for (std::thread& thread : threads) {
      thread.join();
    }
    m_.settle();
  }

  // A domain that ends is counted once, not as frames that are free and as frames that soon will
  // be: what there is after it is gone has to be known at each moment of its end.
  void promise_too_much(unsigned times) {
    const std::uint64_t all = begin_;
    std::vector<std::thread> threads;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
      threads.emplace_back([this, cpu] { be_cpu(cpu); });
    }
    EXPECT_EQ(ask(Op::create_domain, 0, {1, 2 * all, 0, 0, 0}), 0);
    const auto id = static_cast<std::uint32_t>(m_.response(last_).results[0]);
    const xl::abi::ExtentRecord ram{0, 0, 2 * all};
    EXPECT_EQ(ask(Op::populate_on_demand, id, {0}, &ram, sizeof ram), 0);
    for (unsigned i = 0; i < times; ++i) {
      EXPECT_EQ(ask(Op::create_domain, 0, {1, all, 0, 0, 0}), 0);
      const auto other = static_cast<std::uint32_t>(m_.response(last_).results[0]);
      const xl::abi::ExtentRecord extent{0, 0, all - 1024};
      EXPECT_EQ(ask(Op::populate, other, {}, &extent, sizeof extent), 0);
      EXPECT_EQ(ask(Op::destroy_domain, other), 0);
      for (unsigned tries = 0; tries < 100; ++tries) {
        EXPECT_EQ(ask(Op::set_memory_target, id, {all + 1}), -XEN_ENOMEM);
      }
    }
    EXPECT_EQ(ask(Op::destroy_domain, id), 0);
    stop_ = true;
    for (std::thread& thread : threads) {
      thread.join();
    }
    m_.settle();
  }

  std::uint64_t frames() {
    return m_.core().frames.counts().free() + m_.core().hypervisor_frames.load();
  }
  Machine& machine() { return m_; }
  std::uint64_t begin() const { return begin_; }

  std::atomic<std::uint64_t> calls{0};
  unsigned destroyed = 0;

 private:
  // The host's side: posts, and waits for whichever CPU serves.
  std::int32_t ask(Op op, std::uint32_t domain = 0, std::initializer_list<std::uint64_t> args = {},
                   const void* bulk = nullptr, std::size_t bytes = 0) {
    last_ = m_.posted;
    m_.post(op, domain, args, bulk, bytes);
    while (!m_.is_done(last_)) {
      m_.platform.now += 1000;
      std::this_thread::yield();
    }
    return m_.response(last_).status;
  }

  std::uint32_t start() {
    EXPECT_EQ(ask(Op::create_domain, 0, {2, 1200, 0, 0, 0}), 0);
    const auto id = static_cast<std::uint32_t>(m_.response(last_).results[0]);
    const xl::abi::ExtentRecord extent{0, 0, 1100};
    EXPECT_EQ(ask(Op::populate, id, {}, &extent, sizeof extent), 0);
    const xl::abi::VcpuContextRecord record{};
    for (const std::uint64_t vcpu : {0U, 1U}) {
      EXPECT_EQ(ask(Op::set_vcpu_context, id, {vcpu}, &record, sizeof record), 0);
    }
    EXPECT_EQ(ask(Op::unpause, id), 0);
    return id;
  }

  void one_request(std::mt19937_64& random, std::uint32_t id) {
    switch (random() % 5) {
      case 0:
        EXPECT_EQ(ask(Op::pause, id), 0);
        EXPECT_EQ(ask(Op::unpause, id), 0);
        break;
      case 1: EXPECT_EQ(ask(Op::domain_info, id), 0); break;
      case 2: EXPECT_EQ(ask(Op::list_domains), 0); break;
      case 3:
        EXPECT_EQ(ask(Op::event_alloc_unbound, id, {0}), 0);
        ask(Op::event_bind, id, {m_.response(last_).results[0]});
        ask(Op::event_notify, 0, {m_.response(last_).results[0]});
        break;
      default: EXPECT_EQ(ask(Op::get_vcpu_context, id, {random() % 2}), 0);
    }
  }

  void be_cpu(unsigned cpu) {
    m_.platform.cpu = cpu;
    FakeHypervisor& hv = *m_.hv;
    std::mt19937_64 random(cpu + 10);
    while (!stop_) {
      hv.serve_host(cpu);
      const auto next = hv.schedule(cpu);
      if (next.vcpu == nullptr) {
        if (!hv.idle_work(cpu)) {
          (void)hv.prepare_sleep(cpu);
          std::this_thread::yield();
        }
        hv.wake_up(cpu);
        continue;
      }
      for (unsigned exits = 0; exits < 20 && next.vcpu->running && !next.vcpu->blocked; ++exits) {
        ++calls;
        one_call(random, *next.vcpu);
      }
    }
  }

  // One exit of a guest. Each vcpu has its own page for arguments.
  void one_call(std::mt19937_64& random, TestVcpu& vcpu) {
    const std::uint64_t page = 0x10000 + vcpu.id.value() * 0x1000;
    const auto call = [&](std::uint64_t number, std::uint64_t command, const auto& op) {
      m_.platform.write_guest(vcpu, page, &op, sizeof op);
      HypercallFrame frame;
      frame.number = number;
      frame.args = {command, page, 1, 0, 0, 0};
      if (number == __HYPERVISOR_vcpu_op) {
        frame.args = {command, random() % 2, page, 0, 0, 0};
      }
      m_.hv->hypercall(vcpu, frame);
      return frame.result;
    };
    const auto event = static_cast<evtchn_port_t>(1 + random() % 40);
    switch (random() % 12) {
      case 0:
        call(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi,
             evtchn_bind_ipi{static_cast<std::uint32_t>(random() % 2), 0});
        break;
      case 1:
      case 2: call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, evtchn_send{event}); break;
      case 3: call(__HYPERVISOR_event_channel_op, EVTCHNOP_close, evtchn_close{event}); break;
      case 4:
        call(__HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, std::uint64_t{1'000'000});
        break;
      case 5: call(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, std::uint64_t{0}); break;
      case 6:
        call(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq,
             evtchn_bind_virq{VIRQ_TIMER, static_cast<std::uint32_t>(random() % 2), 0});
        break;
      case 7: m_.hv->block(vcpu); break;
      case 8: m_.hv->wake(*vcpu.domain->vcpus[random() % 2]); break;
      case 9: balloon(random, vcpu, page); break;
      case 10: grant(random, vcpu, page); break;
      default: m_.hv->yield(vcpu);
    }
  }

  void balloon(std::mt19937_64& random, TestVcpu& vcpu, std::uint64_t page) {
    const std::uint64_t gfn = 100 + random() % 900;
    xen_memory_reservation op{};
    op.extent_start.p = reinterpret_cast<xen_pfn_t*>(page + 0x800);
    op.nr_extents = 1;
    op.domid = DOMID_SELF;
    m_.platform.write_guest(vcpu, page + 0x800, &gfn, 8);
    m_.platform.write_guest(vcpu, page, &op, sizeof op);
    HypercallFrame frame;
    frame.number = __HYPERVISOR_memory_op;
    frame.args = {random() % 2 == 0 ? std::uint64_t{XENMEM_decrease_reservation}
                                    : std::uint64_t{XENMEM_populate_physmap},
                  page,
                  0,
                  0,
                  0,
                  0};
    m_.hv->hypercall(vcpu, frame);
  }

  // Maps and unmaps what a random domain granted; the entries are made as they are needed, in its
  // own table.
  void grant(std::mt19937_64& random, TestVcpu& vcpu, std::uint64_t page) {
    const auto peer = static_cast<domid_t>(vcpu.domain->id.value() + random() % 7 - 3);
    if (vcpu.id.value() == 0 && random() % 2 == 0) {
      const xl::abi::GrantSeedRecord record{static_cast<std::uint32_t>(8 + random() % 4), peer,
                                            100 + random() % 100};
      (void)m_.hv->parts().grants.seed(*vcpu.domain, record).has_value();
      return;
    }
    HypercallFrame frame;
    frame.number = __HYPERVISOR_grant_table_op;
    if (random() % 2 == 0) {
      gnttab_map_grant_ref op{};
      op.host_addr = (2000 + random() % 50) << 12;
      op.flags = GNTMAP_host_map;
      op.ref = static_cast<grant_ref_t>(8 + random() % 4);
      op.dom = peer;
      m_.platform.write_guest(vcpu, page, &op, sizeof op);
      frame.args = {GNTTABOP_map_grant_ref, page, 1, 0, 0, 0};
    } else {
      gnttab_unmap_grant_ref op{};
      op.host_addr = (2000 + random() % 50) << 12;
      op.handle = static_cast<grant_handle_t>(random() % 8);
      m_.platform.write_guest(vcpu, page, &op, sizeof op);
      frame.args = {GNTTABOP_unmap_grant_ref, page, 1, 0, 0, 0};
    }
    m_.hv->hypercall(vcpu, frame);
  }

  Machine m_;
  std::uint64_t begin_;
  std::atomic<bool> stop_{false};
  std::uint64_t last_ = 0;
};

TEST(Stress, ThreeCpusLoseNoFrame) {
  Stress stress;
  stress.run(10000, 20);
  EXPECT_EQ(stress.frames(), stress.begin());
  EXPECT_EQ(stress.machine().platform.domains, 0);
  EXPECT_EQ(stress.machine().platform.vcpus, 0);
  EXPECT_TRUE(stress.machine().reaped());
}

TEST(Stress, WhatADyingDomainHasIsPromisedOnce) {
  Stress stress;
  stress.promise_too_much(30);
  EXPECT_EQ(stress.frames(), stress.begin());
}

}  // namespace
}  // namespace hyp::test
