// SPDX-License-Identifier: Apache-2.0
// Disk specifications, xl-disk-configuration(5) in full: positional parameters, keywords, flags,
// target=, and the deprecated prefixes and syntaxes of xend. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libxl++/config/devices/choice.hpp"
#include "libxl++/config/devices/spec.hpp"
#include "libxl++/config/devices/vdev.hpp"

namespace xl::config {

enum class DiskFormat : std::uint8_t { raw, qcow, qcow2, vhd, qed, empty };
enum class DiskBackend : std::uint8_t { automatic, phy, tap, qdisk, standalone };
enum class DiskSpecification : std::uint8_t { unset, xen, virtio };

// Block replication for COLO. Empty and 0: not given.
struct ColoDisk {
  std::optional<bool> enable;
  std::string host;
  std::uint16_t port = 0;
  std::string export_name;
  std::string active_disk;
  std::string hidden_disk;

  bool operator==(const ColoDisk&) const = default;
};

struct Disk {
  std::optional<std::string> target;  // may be there and empty: an empty CD drive
  DiskFormat format = DiskFormat::raw;
  std::string vdev;  // as written; valid for parse_vdev
  Vdev device;       // what it means
  bool read_write = true;
  bool cdrom = false;
  std::string backend;  // a domain; empty: domain 0
  DiskBackend backend_type = DiskBackend::automatic;
  std::string script;
  bool direct_io_safe = false;
  std::optional<bool> discard;
  std::optional<bool> trusted;
  DiskSpecification specification = DiskSpecification::unset;
  ColoDisk colo;

  bool operator==(const Disk&) const = default;
};

// What libxlutil takes is taken, with the same meaning, and nothing else, but for these: vdev has
// to be one, colo-port a port, `trusted` and `untrusted` are known as in the manual, and a '=' at
// the very end is not overlooked. `words` is one string of a config, or the words of `xl
// block-attach`, which go on one behind the other.
ParsedSpec<Disk> parse_disk(std::span<const std::string> words);
ParsedSpec<Disk> parse_disk(const std::string& spec);

// libxl's names for the values, for its JSON.
inline constexpr Choice<DiskFormat> disk_formats[] = {
    {"raw", DiskFormat::raw}, {"qcow", DiskFormat::qcow}, {"qcow2", DiskFormat::qcow2},
    {"vhd", DiskFormat::vhd}, {"qed", DiskFormat::qed},   {"empty", DiskFormat::empty}};
inline constexpr Choice<DiskBackend> disk_backends[] = {{"phy", DiskBackend::phy},
                                                        {"tap", DiskBackend::tap},
                                                        {"qdisk", DiskBackend::qdisk},
                                                        {"standalone", DiskBackend::standalone}};
inline constexpr Choice<DiskSpecification> disk_specifications[] = {
    {"xen", DiskSpecification::xen}, {"virtio", DiskSpecification::virtio}};

}  // namespace xl::config
