// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/pci.hpp"

#include <charconv>

#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

constexpr Choice<RdmPolicy> rdm_policies[] = {{"strict", RdmPolicy::strict},
                                              {"relaxed", RdmPolicy::relaxed}};
constexpr Choice<bool> rdm_strategies[] = {{"host", true}};
constexpr std::uint32_t last_device = 0x1f;

// Takes the digits up to `end_mark` (or all) off the text. None: not such a number up to `most`.
std::optional<std::uint32_t> take_hex(std::string_view& text, char end_mark, std::uint32_t most) {
  const std::size_t end = end_mark == '\0' ? text.size() : text.find(end_mark);
  if (end == std::string_view::npos || end == 0 || end > 4) return {};
  std::uint32_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + end, number, 16);
  if (error != std::errc() || at != text.data() + end || number > most) return {};
  text.remove_prefix(end_mark == '\0' ? end : end + 1);
  return number;
}

void read_address(const Piece& word, Pci& pci, SpecFindings& findings) {
  const Result<PciAddress> address = PciAddress::parse(word.text);
  if (address) {
    pci.address = *address;
  } else {
    findings.error(word.place, address.error().message, address.error().hint);
  }
}

void read_slot(const Piece& word, Pci& pci, SpecFindings& findings) {
  std::string_view rest = word.text;
  if (rest.starts_with("0x") || rest.starts_with("0X")) rest.remove_prefix(2);
  const std::optional<std::uint32_t> slot = take_hex(rest, '\0', last_device);
  if (!slot) {
    findings.error(word.place, fmt::format("'{}' is not a slot", printable(word.text)),
                   "a slot is a hexadecimal number from 1 to 1f, or 0 for any");
    return;
  }
  pci.slot = static_cast<std::uint8_t>(*slot);
}

void read_bdf_key(const SpecItem& item, Pci& pci, SpecFindings& findings) {
  read_address(*item.value, pci, findings);
}

void read_vslot_key(const SpecItem& item, Pci& pci, SpecFindings& findings) {
  read_slot(*item.value, pci, findings);
}

void read_name(const SpecItem& item, Pci& pci, SpecFindings& findings) {
  if (auto name = read_string(item, findings)) pci.name = std::move(*name);
}

template <std::optional<bool> Pci::*Member>
void read_boolean_key(const SpecItem& item, Pci& pci, SpecFindings& findings) {
  if (const auto value = read_flag(item, findings)) pci.*Member = *value;
}

template <typename Device, RdmPolicy Device::*Member>
void read_policy(const SpecItem& item, Device& device, SpecFindings& findings) {
  if (const auto policy = read_choice(*item.value, "a policy", rdm_policies, findings)) {
    device.*Member = *policy;
  }
}

void read_strategy(const SpecItem& item, Rdm& rdm, SpecFindings& findings) {
  if (read_choice(*item.value, "a strategy", rdm_strategies, findings)) rdm.host = true;
}

constexpr SpecKey<Pci> pci_keys[] = {{"bdf", read_bdf_key},
                                     {"vslot", read_vslot_key},
                                     {"permissive", read_boolean_key<&Pci::permissive>},
                                     {"msitranslate", read_boolean_key<&Pci::msi_translate>},
                                     {"seize", read_boolean_key<&Pci::seize>},
                                     {"power_mgmt", read_boolean_key<&Pci::power_management>},
                                     {"rdm_policy", read_policy<Pci, &Pci::rdm_policy>},
                                     {"name", read_name}};
constexpr SpecKey<Rdm> rdm_keys[] = {{"strategy", read_strategy},
                                     {"policy", read_policy<Rdm, &Rdm::policy>}};

// The first item, if it is positional: BDF[@vslot].
bool read_position(const Piece& item, Pci& pci, SpecFindings& findings) {
  if (item.text.empty() || item.text.find('=') != std::string_view::npos) return false;
  const std::size_t at = item.text.find('@');
  read_address(item.part(0, at).trimmed(), pci, findings);
  if (at != std::string_view::npos) read_slot(item.part(at + 1).trimmed(), pci, findings);
  return true;
}

void check(const Pci& pci, SpecFindings& findings) {
  if (pci.address && !pci.name.empty()) {
    findings.error({}, "the PCI device has an address and a name", "keep one of the two");
  } else if (!pci.address && pci.name.empty()) {
    findings.error({}, "the PCI device has no address",
                   "write it as lspci(1) does, [DDDD:]BB:SS.F, or name=...");
  }
}

}  // namespace

Result<PciAddress> PciAddress::parse(std::string_view text) {
  const auto wrong = [text] {
    return fail(ErrorId::device_wrong, fmt::format("'{}' is not a PCI address", printable(text)),
                "write it as lspci(1) does, [DDDD:]BB:SS.F in hexadecimal, or .* for all "
                "functions");
  };
  PciAddress address;
  std::string_view rest = text;
  const std::size_t first = rest.find(':');
  if (first != std::string_view::npos && rest.find(':', first + 1) != std::string_view::npos) {
    const auto domain = take_hex(rest, ':', 0xffff);
    if (!domain) return wrong();
    address.domain = *domain;
  }
  const auto bus = take_hex(rest, ':', 0xff);
  const auto device = bus ? take_hex(rest, '.', last_device) : bus;
  if (!bus || !device) return wrong();
  address.bus = static_cast<std::uint8_t>(*bus);
  address.device = static_cast<std::uint8_t>(*device);
  address.all_functions = rest == "*";
  if (address.all_functions) return address;
  const auto function = take_hex(rest, '\0', 7);
  if (!function) return wrong();
  address.function = static_cast<std::uint8_t>(*function);
  return address;
}

ParsedSpec<Pci> parse_pci(const std::string& spec) {
  SpecFindings findings;
  Pci pci;
  const std::size_t comma = spec.find(',');
  const Piece first = Piece::whole(spec, 0).part(0, comma).trimmed();
  std::string keys = spec;
  if (read_position(first, pci, findings)) {
    // Blanks in its place: what is found in the rest keeps its place.
    keys.replace(0, std::min(comma, spec.size()), std::min(comma, spec.size()), ' ');
  }
  read_items(std::span(&keys, 1), "a PCI device", pci_keys, pci, findings);
  if (!findings.has_errors()) check(pci, findings);
  return std::move(findings).finish(std::move(pci));
}

ParsedSpec<Rdm> parse_rdm(const std::string& spec) {
  SpecFindings findings;
  Rdm rdm;
  read_items(std::span(&spec, 1), "rdm", rdm_keys, rdm, findings);
  return std::move(findings).finish(rdm);
}

}  // namespace xl::config
