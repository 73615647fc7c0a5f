// SPDX-License-Identifier: Apache-2.0
// Ring: the console page that a guest shares with us, public/io/console.h's xencons_interface. The
// guest is hostile: indexes are copied, checked, then used, and our own positions are never read
// back from the page.
//
// Thread rule: one thread at a time. The page stays mapped as long as the ring exists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace xl::console {

class Ring {
 public:
  static constexpr std::size_t output_size = 2048;
  static constexpr std::size_t input_size = 1024;

  // `page` holds at least the interface's structure, 4-byte aligned.
  explicit Ring(std::span<std::byte> page);
  // From where an earlier server said it had come; from where the page says if that makes no sense.
  // The guest may not have been told: notify it.
  Ring(std::span<std::byte> page, std::uint32_t output_taken);

  struct Read {
    std::size_t count = 0;
    bool notify = false;  // the guest may be waiting for room
  };
  // What the guest printed; it stays in the ring. Positions that make no sense lose what was in the
  // ring; they are counted.
  Read peek_output(std::span<std::byte, output_size> buffer);
  // Takes what was seen out of it. Returns whether the guest may be waiting for room.
  bool take_output(std::size_t count);
  // How much was ever taken, modulo 2^32.
  std::uint32_t output_taken() const { return output_taken_; }
  // Gives the guest as much as there is room for; returns how much. The guest must be notified of
  // it.
  std::size_t write_input(std::span<const std::byte> bytes);

  std::uint64_t bad_indexes() const { return bad_indexes_; }

 private:
  std::byte* page_;
  std::uint32_t output_taken_;  // out_cons
  std::uint32_t input_put_;     // in_prod
  std::uint64_t bad_indexes_ = 0;
};

}  // namespace xl::console
