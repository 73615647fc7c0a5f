// SPDX-License-Identifier: Apache-2.0
// COM1, a 16550A, as the doorbell: one byte in either direction means "look at the shared area".
// hypervisor/abi/host_area.hpp says what the bytes are.
#pragma once

#include "hypervisor/abi/host_area.hpp"
#include "hypervisor/x86_64/instructions.hpp"

namespace hyp::x86 {

inline constexpr std::uint16_t com1 = 0x3f8;
inline constexpr std::uint16_t uart_data = com1;
inline constexpr std::uint16_t uart_interrupt_enable = com1 + 1;
inline constexpr std::uint16_t uart_fifo_control = com1 + 2;
inline constexpr std::uint16_t uart_line_control = com1 + 3;
inline constexpr std::uint16_t uart_modem_control = com1 + 4;
inline constexpr std::uint16_t uart_line_status = com1 + 5;

inline constexpr std::uint8_t uart_received = 0x01;        // line status: a byte waits
inline constexpr std::uint8_t uart_transmit_empty = 0x20;  // line status: room for a byte

inline void start_doorbell() {
  write_port(uart_interrupt_enable, 0);
  write_port(uart_line_control, 0x03);  // 8 bits, no parity
  write_port(uart_fifo_control,
             0x07);  // FIFOs on and empty, interrupt at one byte: a burst is one interrupt
  write_port(uart_modem_control, 0x0b);  // DTR, RTS, OUT2 (which lets the interrupt through)
  write_port(uart_interrupt_enable, 0x01);
}

// Never waits: with a full transmitter the host already has a byte to read.
inline void ring_doorbell() {
  if ((read_port(uart_line_status) & uart_transmit_empty) != 0) {
    write_port(uart_data, static_cast<std::uint8_t>(xl::abi::ring_byte));
  }
}

// True if the host said hello: it wants to know that its end of the line is connected.
inline bool drain_doorbell() {
  bool hello = false;
  while ((read_port(uart_line_status) & uart_received) != 0) {
    hello |= read_port(uart_data) == static_cast<std::uint8_t>(xl::abi::hello_byte);
  }
  return hello;
}

}  // namespace hyp::x86
