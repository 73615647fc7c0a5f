// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/acpi/aml.hpp"

#include <cassert>

namespace xl::build::acpi::aml {

namespace {

constexpr std::byte op_zero{0x00};
constexpr std::byte op_one{0x01};
constexpr std::byte op_name{0x08};
constexpr std::byte op_byte{0x0a};
constexpr std::byte op_word{0x0b};
constexpr std::byte op_dword{0x0c};
constexpr std::byte op_string{0x0d};
constexpr std::byte op_scope{0x10};
constexpr std::byte op_buffer{0x11};
constexpr std::byte op_extended{0x5b};
constexpr std::byte op_device{0x82};  // after op_extended
constexpr std::size_t segment_size = 4;

void add_number(Term& term, std::uint64_t value, unsigned width) {
  for (unsigned i = 0; i < width; ++i) {
    term.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
}

// Segments shorter than four characters are filled with underscores.
void add_name(Term& term, std::string_view name) {
  if (name.starts_with('\\')) {
    term.push_back(std::byte{'\\'});
    name.remove_prefix(1);
  }
  assert(!name.empty() && name.size() <= segment_size);
  for (std::size_t i = 0; i < segment_size; ++i) {
    term.push_back(static_cast<std::byte>(i < name.size() ? name[i] : '_'));
  }
}

Term package(Term term, std::string_view name, const Term& contents) {
  Term body;
  add_name(body, name);
  body += contents;
  term += package_length(body.size());
  return term += body;
}

}  // namespace

Term& operator+=(Term& to, const Term& term) {
  to.insert(to.end(), term.begin(), term.end());
  return to;
}

Term integer(std::uint32_t value) {
  if (value <= 1) {
    return {value == 0 ? op_zero : op_one};
  }
  Term term;
  if (value <= 0xff) {
    term.push_back(op_byte);
    add_number(term, value, 1);
  } else if (value <= 0xffff) {
    term.push_back(op_word);
    add_number(term, value, 2);
  } else {
    term.push_back(op_dword);
    add_number(term, value, 4);
  }
  return term;
}

Term string(std::string_view ascii) {
  Term term{op_string};
  for (const char character : ascii) {
    term.push_back(static_cast<std::byte>(character));
  }
  term.push_back(std::byte{0});
  return term;
}

Term buffer(const Term& bytes) {
  Term body = integer(static_cast<std::uint32_t>(bytes.size()));
  body += bytes;
  Term term{op_buffer};
  term += package_length(body.size());
  return term += body;
}

Term name(std::string_view name, const Term& value) {
  Term term{op_name};
  add_name(term, name);
  return term += value;
}

Term scope(std::string_view name, const Term& contents) {
  return package({op_scope}, name, contents);
}

Term device(std::string_view name, const Term& contents) {
  return package({op_extended, op_device}, name, contents);
}

Term package_length(std::size_t size) {
  // One byte holds 6 bits. More bytes: the count of those that follow in bits 7:6, 4 bits in the
  // first, 8 in the others.
  if (size + 1 < 0x40) {
    return {static_cast<std::byte>(size + 1)};
  }
  std::size_t extra = 1;
  while (extra < 3 && (size + 1 + extra) >> (4 + 8 * extra) != 0) {
    ++extra;
  }
  const std::size_t total = size + 1 + extra;
  assert(total >> (4 + 8 * extra) == 0);
  Term term{static_cast<std::byte>((extra << 6) | (total & 0xf))};
  add_number(term, total >> 4, static_cast<unsigned>(extra));
  return term;
}

}  // namespace xl::build::acpi::aml
