// SPDX-License-Identifier: Apache-2.0
// A hostile guest: random hypercalls with random arguments, pointers and structures. Options:
// seed=N calls=N. It may well break itself (PASS, or a crash of its own); nobody else may notice.
#include "tests/guests/runtime/runtime.hpp"

extern "C" {
#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
}

namespace guest {

const char* const guest_name = "fuzz";

namespace {

alignas(4096) unsigned char buffer_[3 * 4096];
uint64_t state_;

uint64_t random() {  // xorshift64*
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545f4914f6cdd1dULL;
}

uint64_t below(uint64_t limit) {
  return random() % limit;
}

// Values that are likely to be an edge of something.
uint64_t edge() {
  static constexpr uint64_t edges[] = {0,
                                       1,
                                       2,
                                       0x7ff0,
                                       0x7ff1,
                                       0x7fff,
                                       0x8000,
                                       0xffff,
                                       0x10000,
                                       0xfee00,
                                       0xfe700,
                                       0xfeffc,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       0x100000000,
                                       0x7fffffffffff,
                                       0x800000000000,
                                       0xffff800000000000,
                                       0x7fffffffffffffff,
                                       0x8000000000000000,
                                       0xfffffffffffff000,
                                       0xffffffffffffffff};
  return edges[below(sizeof edges / sizeof *edges)];
}

uint64_t pointer() {
  switch (below(8)) {
    case 0: return edge();
    case 1: return random();
    case 2: return address(buffer_) + sizeof buffer_ - below(64);  // over the end of the buffer
    case 3: return 0xf0000000 - below(64);                         // into a hole
    case 4: return 0xffffffff - below(4096);                       // over the end of what is mapped
    default: return address(buffer_) + below(2 * 4096);
  }
}

uint64_t number() {
  switch (below(4)) {
    case 0: return edge();
    case 1: return random();
    default: return below(48);
  }
}

void fill_buffer() {
  for (unsigned i = 0; i < 32; ++i) {
    const uint64_t value = below(3) == 0 ? pointer() : number();
    const uint64_t offset = below(2 * 4096 / 4) * 4;
    // Structures start where pointer() points; small offsets matter most.
    *reinterpret_cast<uint64_t*>(buffer_ + (below(2) == 0 ? offset : below(64) * 4)) = value;
  }
}

// Calls that end or stop this guest by design are not what is tested here. Commands are 32 bits
// wide.
bool is_harmless(uint64_t call, uint32_t command, uint64_t argument) {
  switch (call) {
    case __HYPERVISOR_sched_op:
      return command != SCHEDOP_block &&
             (command == SCHEDOP_yield || command > SCHEDOP_pin_override ||
              argument >= (1UL << 47));
    case __HYPERVISOR_vcpu_op: return command != VCPUOP_down;
    case __HYPERVISOR_sched_op_compat:
    case __HYPERVISOR_iret:
    case __HYPERVISOR_multicall: return false;  // would carry any of the above
    default: return true;
  }
}

void one_call() {
  static constexpr uint64_t likely[] = {
      __HYPERVISOR_memory_op,        __HYPERVISOR_xen_version, __HYPERVISOR_console_io,
      __HYPERVISOR_grant_table_op,   __HYPERVISOR_vcpu_op,     __HYPERVISOR_sched_op,
      __HYPERVISOR_event_channel_op, __HYPERVISOR_physdev_op,  __HYPERVISOR_hvm_op,
      __HYPERVISOR_set_timer_op,     __HYPERVISOR_vm_assist,   __HYPERVISOR_domctl,
      __HYPERVISOR_sysctl,           __HYPERVISOR_argo_op};
  const uint64_t call = below(4) == 0 ? below(128) : likely[below(sizeof likely / sizeof *likely)];
  const uint64_t command = number();
  const uint64_t second = below(2) == 0 ? pointer() : number();
  uint64_t third = below(2) == 0 ? pointer() : number();
  // A count of 2^32 is carried out, as Xen does, bit by bit: it only takes this guest's own time.
  if (call == __HYPERVISOR_grant_table_op) {
    third = below(64);
  }
  fill_buffer();
  if (is_harmless(call, static_cast<uint32_t>(command), second)) {
    hypercall(call, command, second, third, number(), number());
  }
}

}  // namespace

void guest_main() {
  const uint64_t seed = option("seed", 1);
  const uint64_t calls = option("calls", 20000);
  state_ = seed * 0x9e3779b97f4a7c15ULL | 1;
  say("fuzz seed ", seed);
  for (uint64_t i = 0; i < calls; ++i) {
    one_call();
  }
  // Still in its right mind: an unknown hypercall is ENOSYS, and bad pointers were refused.
  check(hypercall(63) == -38, "an unknown hypercall is not ENOSYS");
  pass();
}

}  // namespace guest
