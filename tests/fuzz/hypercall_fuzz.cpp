// SPDX-License-Identifier: Apache-2.0
// The core under a hostile guest and a hostile host: the input is a program of hypercalls, stores
// into guest memory, ring requests and passing time. After it all domains are destroyed, and every
// frame has to be back.
#include "tests/hypervisor/machine.hpp"

namespace {

using hyp::Errno;
using hyp::test::Machine;
using hyp::test::TestVcpu;
using xl::abi::Op;

// The input, taken byte by byte; zeros when it has ended.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ == size_; }
  std::uint8_t byte() { return empty() ? std::uint8_t{0} : data_[at_++]; }
  // Small numbers, places in the guest's memory, ids, and edges; rarely 64 free bits.
  std::uint64_t value() {
    static constexpr std::uint64_t edges[] = {0x7ff0,     0xffff,     0x10000,    0xffffffff,
                                              1ULL << 36, 1ULL << 40, 1ULL << 63, ~0ULL};
    const std::uint8_t kind = byte();
    switch (kind % 8) {
      case 0:
      case 1:
      case 2: return kind / 8U;
      case 3: return edges[kind / 8U % 8U];
      case 4:
      case 5: return 0x1000 + (kind / 8U) * 64U;  // where structures are put
      case 6: return byte() | static_cast<std::uint64_t>(byte()) << 8;
      default: {
        std::uint64_t word = 0;
        for (int i = 0; i < 8; ++i) {
          word = word << 8 | byte();
        }
        return word;
      }
    }
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

void check(bool good) {
  if (!good) {
    __builtin_trap();
  }
}

class Program {
 public:
  explicit Program(Input input) : input_(input) {
    before_ = frames();
    for (int i = 0; i < 3; ++i) {
      ids_.push_back(m_.start(48, 2));
    }
  }

  void run() {
    for (int steps = 0; steps < 400 && !input_.empty(); ++steps) {
      step();
    }
    finish();
  }

 private:
  TestVcpu* vcpu() {
    const std::uint8_t choice = input_.byte();
    const std::uint32_t id = ids_[choice % ids_.size()];
    return m_.core().domains.find(hyp::DomId(static_cast<std::uint16_t>(id))) == nullptr
               ? nullptr
               : &m_.vcpu(id, choice / 64U % 2U);
  }

  void step() {
    switch (input_.byte() % 8) {
      case 0:
      case 1:
      case 2: hypercall(); break;
      case 3:
      case 4: store(); break;
      case 5: request(); break;
      case 6: m_.rounds(); break;
      default:
        m_.platform.now += 1ULL << (input_.byte() % (static_cast<unsigned>(Op::count) + 1));
        m_.rounds();
        m_.hv->idle_work(m_.platform.cpu);
    }
  }

  void hypercall() {
    static constexpr std::uint64_t numbers[] = {
        __HYPERVISOR_memory_op, __HYPERVISOR_grant_table_op, __HYPERVISOR_event_channel_op,
        __HYPERVISOR_vcpu_op,   __HYPERVISOR_sched_op,       __HYPERVISOR_hvm_op,
        __HYPERVISOR_multicall, __HYPERVISOR_xen_version,    __HYPERVISOR_console_io,
        __HYPERVISOR_vm_assist, __HYPERVISOR_set_timer_op};
    TestVcpu* const caller = vcpu();
    const std::uint8_t choice = input_.byte();
    hyp::HypercallFrame frame;
    frame.number = choice < 250 ? numbers[choice % std::size(numbers)] : input_.value();
    frame.wide = input_.byte() % 4 != 0;
    for (std::uint64_t& arg : frame.args) {
      arg = frame.wide ? input_.value() : static_cast<std::uint32_t>(input_.value());
    }
    // A call that goes on without end is the guest's own time: some pieces are enough.
    for (int pieces = 0; caller != nullptr && pieces < 8; ++pieces) {
      m_.hv->hypercall(*caller, frame);
      if (!frame.restart) {
        break;
      }
    }
  }

  // Words into guest memory, where the next call finds its structure; grant entries and event words
  // are such memory too.
  void store() {
    TestVcpu* const target = vcpu();
    std::uint64_t at = input_.value();
    const unsigned count = input_.byte() % 8;
    for (unsigned i = 0; i < count; ++i) {
      const std::uint64_t word = input_.value();
      if (target != nullptr) {
        m_.platform.write_guest(*target, at, &word, i % 2 == 0 ? 8 : 4);
      }
      at += i % 2 == 0 ? 8 : 4;
    }
  }

  void request() {
    const auto op = static_cast<Op>(input_.byte() % (static_cast<unsigned>(Op::count) + 1));
    const std::uint8_t who = input_.byte();
    const std::uint32_t id = who < 250 ? ids_[who % ids_.size()] : who;
    std::array<std::uint64_t, 40> bulk{};
    const std::size_t words = input_.byte() % bulk.size();
    for (std::size_t i = 0; i < words; ++i) {
      bulk[i] = input_.value();
    }
    // A pause or a creation too many would only slow the run down.
    if (op == Op::create_domain && ids_.size() > 8) {
      return;
    }
    const auto response = m_.request(op, id, {input_.value(), input_.value(), input_.value()},
                                     bulk.data(), words * 8);
    if (op == Op::create_domain && response.status == 0) {
      ids_.push_back(static_cast<std::uint32_t>(response.results[0]));
    }
  }

  // Every frame is free, held by a domain, or the hypervisor's own.
  std::uint64_t frames() {
    return m_.core().frames.counts().free() + m_.core().hypervisor_frames.load();
  }

  void finish() {
    for (const std::uint32_t id : ids_) {
      m_.request(Op::destroy_domain, id);
    }
    m_.settle();
    check(m_.core().domains.count() == 0);
    check(m_.platform.domains == 0 && m_.platform.vcpus == 0);
    check(m_.reaped());
    check(frames() == before_);
    check(m_.core().frames.counts().dirty == 0 || m_.core().frames.counts().releasable != 0);
  }

  Machine m_{16, 2};
  Input input_;
  std::vector<std::uint32_t> ids_;
  std::uint64_t before_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Program(Input(data, size)).run();
  return 0;
}
