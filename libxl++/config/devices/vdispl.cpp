// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/vdispl.hpp"

#include <charconv>

#include "libxl++/config/devices/keyed_spec.hpp"

namespace xl::config {
namespace {

void read_backend(const SpecItem& item, Vdispl& display, SpecFindings& findings) {
  if (auto backend = read_string(item, findings)) display.backend = std::move(*backend);
}

void read_allocation(const SpecItem& item, Vdispl& display, SpecFindings& findings) {
  if (const auto value = read_flag(item, findings)) display.backend_allocates = *value;
}

std::optional<std::uint32_t> pixels(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || at != end || error != std::errc() || number == 0) return {};
  return number;
}

// <id>:<W>x<H>
void read_connector(const Piece& text, Vdispl& display, SpecFindings& findings) {
  const std::size_t colon = text.text.find(':');
  const std::size_t cross = text.text.find('x', colon == std::string_view::npos ? 0 : colon);
  if (colon != std::string_view::npos && colon != 0 && cross != std::string_view::npos) {
    const auto width = pixels(text.text.substr(colon + 1, cross - colon - 1));
    const auto height = pixels(text.text.substr(cross + 1));
    if (width && height) {
      display.connectors.push_back({std::string(text.text.substr(0, colon)), *width, *height});
      return;
    }
  }
  findings.error(text.place, fmt::format("'{}' is not a connector", printable(text.text)),
                 "write id:WIDTHxHEIGHT, several with ';' between them: id0:1920x1080;id1:800x600");
}

void read_connectors(const SpecItem& item, Vdispl& display, SpecFindings& findings) {
  display.connectors.clear();
  const Piece& list = *item.value;
  for (std::size_t begin = 0; begin <= list.text.size();) {
    const std::size_t end = std::min(list.text.find(';', begin), list.text.size());
    read_connector(list.part(begin, end - begin).trimmed(), display, findings);
    begin = end + 1;
  }
}

constexpr SpecKey<Vdispl> vdispl_keys[] = {
    {"backend", read_backend}, {"be-alloc", read_allocation}, {"connectors", read_connectors}};

}  // namespace

ParsedSpec<Vdispl> parse_vdispl(const std::string& spec) {
  SpecFindings findings;
  Vdispl display;
  read_items(std::span(&spec, 1), "a vdispl", vdispl_keys, display, findings);
  if (!findings.has_errors() && display.connectors.empty()) {
    findings.error({}, "the vdispl has no connectors", "write connectors=id0:1920x1080");
  }
  return std::move(findings).finish(std::move(display));
}

}  // namespace xl::config
