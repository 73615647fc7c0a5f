// SPDX-License-Identifier: Apache-2.0
// Decodes the instructions with which guests reach device memory: MOV in its forms (88-8B, A0-A3,
// C6, C7), MOVZX, MOVSX and XCHG. APM volume 3, appendix A. Pure; compiles on the host.
#pragma once

#include <cstdint>
#include <optional>

namespace hyp::x86 {

enum class CodeSize : std::uint8_t { bits16, bits32, bits64 };

struct MmioAccess {
  unsigned length = 0;  // of the instruction
  unsigned size = 0;    // bytes in memory: 1, 2, 4, 8
  bool write = false;
  bool read = false;  // both for XCHG
  bool has_immediate = false;
  std::uint64_t immediate = 0;
  unsigned reg = 0;        // encoding 0..15; 4..7 of a byte register without REX are AH..BH
  bool high_byte = false;  // reg names AH..BH by 0..3
  bool sign_extend = false;
  unsigned reg_size = 0;  // bytes that a read puts into the register
};

class MmioDecoder {
 public:
  MmioDecoder(const std::uint8_t* bytes, unsigned count, CodeSize code)
      : bytes_(bytes), count_(count), code_(code) {}

  std::optional<MmioAccess> decode() {
    prefixes();
    const std::uint8_t opcode = next();
    MmioAccess access;
    const bool known = opcode == 0x0f ? two_byte(access) : one_byte(opcode, access);
    if (!known || overrun_) {
      return std::nullopt;
    }
    access.length = at_;
    return access;
  }

 private:
  std::uint8_t next() {
    if (at_ >= count_) {
      overrun_ = true;
      return 0;
    }
    return bytes_[at_++];
  }

  std::uint64_t next_little_endian(unsigned size) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
      value |= static_cast<std::uint64_t>(next()) << (8 * i);
    }
    return value;
  }

  void prefixes() {
    for (; at_ < count_; ++at_) {
      const std::uint8_t byte = bytes_[at_];
      if (byte == 0x66) {
        operand_override_ = true;
      } else if (byte == 0x67) {
        address_override_ = true;
      } else if (byte != 0x26 && byte != 0x2e && byte != 0x36 && byte != 0x3e && byte != 0x64 &&
                 byte != 0x65 && byte != 0xf0) {
        break;
      }
    }
    if (code_ == CodeSize::bits64 && at_ < count_ && (bytes_[at_] & 0xf0) == 0x40) {
      rex_ = bytes_[at_++];
    }
  }

  unsigned operand_size() const {
    if ((rex_ & 8) != 0) {
      return 8;
    }
    return (code_ == CodeSize::bits16) == operand_override_ ? 4 : 2;
  }

  unsigned address_size() const {
    if (code_ == CodeSize::bits64) {
      return address_override_ ? 4 : 8;
    }
    return (code_ == CodeSize::bits16) == address_override_ ? 4 : 2;
  }

  // Skips ModRM, SIB and displacement of a memory operand and takes the register field.
  bool modrm(MmioAccess& access, bool byte_register) {
    const std::uint8_t byte = next();
    const unsigned mod = byte >> 6;
    const unsigned rm = byte & 7;
    if (mod == 3) {
      return false;
    }
    access.reg = static_cast<unsigned>((byte >> 3) & 7) | ((rex_ & 4) != 0 ? 8U : 0U);
    if (byte_register && rex_ == 0 && access.reg >= 4) {
      access.high_byte = true;
      access.reg -= 4;
    }
    if (address_size() == 2) {
      next_little_endian(mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0);
      return true;
    }
    unsigned base = rm;
    if (rm == 4) {
      base = next() & 7;
    }
    next_little_endian(mod == 1 ? 1 : mod == 2 || (mod == 0 && base == 5) ? 4 : 0);
    return true;
  }

  bool one_byte(std::uint8_t opcode, MmioAccess& access) {
    const bool wide = (opcode & 1) != 0;
    access.size = wide ? operand_size() : 1;
    access.reg_size = access.size;
    switch (opcode) {
      case 0x86:
      case 0x87: access.read = access.write = true; return modrm(access, !wide);
      case 0x88:
      case 0x89: access.write = true; return modrm(access, !wide);
      case 0x8a:
      case 0x8b: access.read = true; return modrm(access, !wide);
      case 0xa0:
      case 0xa1:
        access.read = true;
        next_little_endian(address_size());
        return true;
      case 0xa2:
      case 0xa3:
        access.write = true;
        next_little_endian(address_size());
        return true;
      case 0xc6:
      case 0xc7: return store_immediate(access);
      default: return false;
    }
  }

  bool store_immediate(MmioAccess& access) {
    if (!modrm(access, false) || (access.reg & 7) != 0) {
      return false;
    }
    access.write = access.has_immediate = true;
    access.immediate = next_little_endian(access.size > 4 ? 4 : access.size);
    if (access.size == 8 && (access.immediate & 0x80000000) != 0) {
      access.immediate |= 0xffffffff00000000;
    }
    return true;
  }

  bool two_byte(MmioAccess& access) {
    const std::uint8_t opcode = next();
    if (opcode != 0xb6 && opcode != 0xb7 && opcode != 0xbe && opcode != 0xbf) {
      return false;
    }
    access.read = true;
    access.size = (opcode & 1) != 0 ? 2 : 1;
    access.reg_size = operand_size();
    access.sign_extend = opcode >= 0xbe;
    return modrm(access, false);
  }

  const std::uint8_t* bytes_;
  unsigned count_;
  CodeSize code_;
  unsigned at_ = 0;
  bool overrun_ = false;
  bool operand_override_ = false;
  bool address_override_ = false;
  std::uint8_t rex_ = 0;
};

}  // namespace hyp::x86
