// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/runtime/runtime.hpp"

#include "tests/guests/runtime/traps.hpp"

extern "C" {
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/sched.h>
}

namespace guest {

alignas(4096) unsigned char hypercall_page[4096];

namespace {

const hvm_start_info* start_info_;
xencons_interface* console_;
evtchn_port_t console_port_;

// The base of Xen's CPUID leaves, 0 if the hypervisor is another one.
uint32_t xen_leaves() {
  for (uint32_t base = 0x40000000; base < 0x40010000; base += 0x100) {
    const Cpuid leaf = cpuid(base);
    if (leaf.ebx == 0x566e6558 && leaf.ecx == 0x65584d4d && leaf.edx == 0x4d4d566e) {
      return base;  // "XenVMMXenVMM"
    }
  }
  return 0;
}

void notify(evtchn_port_t port) {
  evtchn_send send{port};
  hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, address(&send));
}

void put(char c) {
  if (console_ == nullptr) {
    return;
  }
  const XENCONS_RING_IDX produced = console_->out_prod;
  while (produced - __atomic_load_n(&console_->out_cons, __ATOMIC_ACQUIRE) >=
         sizeof console_->out) {
    notify(console_port_);
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield);
  }
  console_->out[MASK_XENCONS_IDX(produced, console_->out)] = c;
  __atomic_store_n(&console_->out_prod, produced + 1, __ATOMIC_RELEASE);
}

bool is_space(char c) {
  return c == ' ' || c == '\0';
}

// Behind "key" where a word of the command line starts so, else null.
const char* find_word(const char* key) {
  for (const char* at = command_line(); *at != '\0';) {
    const char* text = at;
    const char* want = key;
    while (*want != '\0' && *text == *want) {
      ++text, ++want;
    }
    if (*want == '\0') {
      return text;
    }
    while (!is_space(*at)) {
      ++at;
    }
    while (*at == ' ') {
      ++at;
    }
  }
  return nullptr;
}

}  // namespace

const hvm_start_info& start_info() {
  return *start_info_;
}

const char* command_line() {
  return start_info_->cmdline_paddr == 0
             ? ""
             : reinterpret_cast<const char*>(static_cast<Word>(start_info_->cmdline_paddr));
}

uint64_t option(const char* key, uint64_t fallback) {
  const char* text = find_word(key);
  if (text == nullptr || *text != '=') {
    return fallback;
  }
  ++text;
  const bool hex = text[0] == '0' && text[1] == 'x';
  uint64_t value = 0;
  for (text += hex ? 2 : 0; !is_space(*text); ++text) {
    const unsigned digit = static_cast<unsigned>(*text >= 'a' ? *text - 'a' + 10 : *text - '0');
    value = value * (hex ? 16U : 10U) + digit;
  }
  return value;
}

bool has_word(const char* word) {
  const char* end = find_word(word);
  return end != nullptr && is_space(*end);
}

uint64_t hvm_param(uint32_t index) {
  xen_hvm_param param{DOMID_SELF, 0, index, 0};
  must("HVMOP_get_param", __HYPERVISOR_hvm_op, HVMOP_get_param, address(&param));
  return param.value;
}

void print(const char* text) {
  for (; *text != '\0'; ++text) {
    if (*text == '\n') {
      put('\r');
    }
    put(*text);
    if (*text == '\n') {
      notify(console_port_);
    }
  }
}

void print(uint64_t number) {
  char digits[21];
  char* at = digits + 20;
  *at = '\0';
  // No 64-bit division: the 32-bit guests have no libgcc to do it.
  uint32_t parts[3] = {};  // 10^9 each, least first
  for (int bit = 63; bit >= 0; --bit) {
    uint32_t carry = static_cast<uint32_t>(number >> bit) & 1;
    for (uint32_t& part : parts) {
      part = part * 2 + carry;
      carry = part >= 1000000000U ? 1 : 0;
      part -= carry * 1000000000U;
    }
  }
  for (int i = 0; i < 20; ++i) {
    uint32_t& part = parts[i / 9];
    *--at = static_cast<char>('0' + part % 10);
    part /= 10;
  }
  while (*at == '0' && at[1] != '\0') {
    ++at;
  }
  print(at);
}

void print(Hex number) {
  print("0x");
  bool started = false;
  for (int shift = 60; shift >= 0; shift -= 4) {
    const unsigned digit = static_cast<unsigned>(number.value >> shift) & 15;
    started = started || digit != 0 || shift == 0;
    if (started) {
      const char text[2] = {"0123456789abcdef"[digit], '\0'};
      print(text);
    }
  }
}

void shut_down(unsigned reason) {
  sched_shutdown shutdown{reason};
  for (;;) {
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, address(&shutdown));
  }
}

void pass() {
  say("PASS ", guest_name);
  shut_down(SHUTDOWN_poweroff);
}

void failed() {
  shut_down(SHUTDOWN_crash);
}

namespace {

// Nothing can be said before the console is there: a guest that gets stuck here shows in how it
// ends.
[[noreturn]] void die() {
  for (;;) {
    // SAFETY: ends the guest by a fault that nobody handles.
    asm volatile("ud2");
  }
}

void start(const hvm_start_info* info) {
  start_info_ = info;
  const uint32_t base = xen_leaves();
  if (base == 0 || info->magic != XEN_HVM_START_MAGIC_VALUE) {
    die();
  }
  const uint32_t msr = cpuid(base + 2).ebx;
  wrmsr(msr, address(hypercall_page));
  console_port_ = static_cast<evtchn_port_t>(hvm_param(HVM_PARAM_CONSOLE_EVTCHN));
  console_ = reinterpret_cast<xencons_interface*>(
      static_cast<Word>(hvm_param(HVM_PARAM_CONSOLE_PFN)) << 12);
#ifdef __x86_64__
  load_traps();
#endif
}

}  // namespace
}  // namespace guest

extern "C" {

[[noreturn]] void guest_entry(const hvm_start_info* info) {
  guest::start(info);
  guest::guest_main();
  guest::fail("guest_main returned");
}

// What the compiler may call for by itself. Loops here would be turned into calls of themselves.
void* memcpy(void* to, const void* from, __SIZE_TYPE__ size) {
  void* out = to;
  // SAFETY: copies `size` octets between buffers of the caller.
  asm volatile("rep movsb" : "+D"(out), "+S"(from), "+c"(size) : : "memory");
  return to;
}

void* memset(void* to, int value, __SIZE_TYPE__ size) {
  void* out = to;
  // SAFETY: fills `size` octets of the caller's buffer.
  asm volatile("rep stosb" : "+D"(out), "+c"(size) : "a"(value) : "memory");
  return to;
}
}
