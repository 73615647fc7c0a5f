// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/x86_64/panic.hpp"

#include "hypervisor/abi/host_area.hpp"
#include "hypervisor/x86_64/apic.hpp"
#include "hypervisor/x86_64/host_area.hpp"
#include "hypervisor/x86_64/idt.hpp"
#include "hypervisor/x86_64/instructions.hpp"
#include "hypervisor/x86_64/uart.hpp"

namespace hyp::x86 {
namespace {

class Line {
 public:
  void put(char c) {
    std::uint64_t& written = host_header().log_written;
    log_ring()[written % xl::abi::log_size] = c;
    __atomic_store_n(&written, written + 1, __ATOMIC_RELEASE);
  }
  void put(const char* text) {
    while (*text != 0) {
      put(*text++);
    }
  }
  void put_number(std::uint64_t value, unsigned base, unsigned digits) {
    char text[20];
    unsigned length = 0;
    do {
      text[length++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0 || length < digits);
    while (length > 0) {
      put(text[--length]);
    }
  }
  void put(char kind, const PanicValue& value) {
    switch (kind) {
      case 'd': put_number(value.number, 10, 1); break;
      case 'x': put_number(value.number, 16, 1); break;
      case 'p': put_number(value.number, 16, 16); break;
      case 's': put(value.text != nullptr ? value.text : "?"); break;
      default: put('?'); break;
    }
  }
};

void write_line(const char* format, std::initializer_list<PanicValue> values) {
  Line line;
  line.put("PANIC: ");
  const PanicValue* next = values.begin();
  for (; *format != 0; ++format) {
    if (*format == '%' && format[1] != 0 && next != values.end()) {
      line.put(*++format, *next++);
    } else {
      line.put(*format);
    }
  }
  line.put('\n');
}

}  // namespace

void panic_values(const char* format, std::initializer_list<PanicValue> values) {
  interrupts_off();
  write_line(format, values);
  __atomic_store_n(&host_header().state, static_cast<std::uint32_t>(xl::abi::State::panicked),
                   __ATOMIC_RELEASE);
  ring_doorbell();
  local_apic().send_to_others(vector_halt);
  halt_for_ever();
}

}  // namespace hyp::x86
