// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/devices/disk_reader.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "libxl++/config/characters.hpp"
#include "libxl++/config/number.hpp"

namespace xl::config {
namespace {

constexpr Choice<bool> accesses[] = {{"rw", true}, {"w", true}, {"ro", false}, {"r", false}};
constexpr Choice<bool> device_types[] = {{"cdrom", true}, {"disk", false}};

// Prefixes of xend's time: these name a format or a script, the others do nothing any more.
constexpr std::string_view format_prefixes[] = {"raw", "qcow", "qcow2", "vhd"};
constexpr std::string_view script_prefixes[] = {"iscsi", "nbd", "enbd", "drbd"};
constexpr std::string_view empty_prefixes[] = {"tapdisk", "tap",  "tap2", "aio",
                                               "ioemu",   "file", "phy"};

template <typename Names>
bool is_among(std::string_view word, const Names& names) {
  for (const std::string_view name : names) {
    if (name == word) return true;
  }
  return false;
}

// For what may be said twice if it is the same.
template <typename Value>
void set_once(std::optional<Value>& slot, Value value, std::string_view what, const Piece& word,
              SpecFindings& findings) {
  if (slot && *slot != value) {
    findings.error(word.place,
                   fmt::format("{} is given a second time, as '{}'", what, printable(word.text)),
                   "keep one of the two");
    return;
  }
  slot = value;
}

}  // namespace

void DiskReader::save(std::optional<Text>& slot, std::string_view what, const Piece& value) {
  if (slot && !slot->value.empty()) {
    findings_.error(value.place,
                    fmt::format("{} is given a second time, as '{}'", what, printable(value.text)),
                    "keep one of the two");
    return;
  }
  slot = Text{std::string(value.text), value.place};
}

void DiskReader::set_format(const Piece& value) {
  format_seen_ = true;
  if (value.text.empty()) {
    set_once(format_, DiskFormat::raw, "the format", value, findings_);
  } else if (const auto format = read_choice(value, "a format", disk_formats, findings_)) {
    set_once(format_, *format, "the format", value, findings_);
  }
}

void DiskReader::set_access(const Piece& value) {
  std::optional<bool> access = true;
  if (!value.text.empty()) access = read_choice(value, "an access mode", accesses, findings_);
  if (!access) return;
  if (access_place_) {
    findings_.warning(value.place, "the access mode is given a second time: this one counts",
                      "keep one of the two");
  }
  if (!value.text.empty()) access_place_ = value.place;
  disk_.read_write = *access;
}

void DiskReader::set_backend_type(const Piece& value) {
  if (const auto type = read_choice(value, "a backendtype", disk_backends, findings_)) {
    set_once(backend_type_, *type, "backendtype", value, findings_);
  }
}

void DiskReader::set_specification(const Piece& value) {
  if (const auto it = read_choice(value, "a specification", disk_specifications, findings_)) {
    set_once(specification_, *it, "specification", value, findings_);
  }
}

void DiskReader::set_device_type(const Piece& value) {
  if (const auto cdrom = read_choice(value, "a devtype", device_types, findings_)) {
    disk_.cdrom = *cdrom;
  }
}

void DiskReader::set_colo_port(const Piece& value) {
  const Number port = parse_number(value.text);
  if (port.fault != Number::Fault::none || port.negative || port.huge || port.magnitude == 0 ||
      port.magnitude > 65535) {
    findings_.error(value.place, fmt::format("'{}' is not a port", printable(value.text)),
                    "a port is a number from 1 to 65535");
    return;
  }
  disk_.colo.port = static_cast<std::uint16_t>(port.magnitude);
}

bool DiskReader::keyword(const Piece& key, const Piece& value) {
  const std::string_view name = key.text;
  if (name == "format")
    set_format(value);
  else if (name == "vdev")
    save(vdev_, "vdev", value);
  else if (name == "access")
    set_access(value);
  else if (name == "devtype")
    set_device_type(value);
  else if (name == "backend")
    save(backend_, "backend", value);
  else if (name == "backendtype")
    set_backend_type(value);
  else if (name == "script")
    save(script_, "script", value);
  else if (name == "specification")
    set_specification(value);
  else if (name == "colo-host")
    save(colo_host_, "colo-host", value);
  else if (name == "colo-port")
    set_colo_port(value);
  else if (name == "colo-export")
    save(colo_export_, "colo-export", value);
  else if (name == "active-disk")
    save(active_disk_, "active-disk", value);
  else if (name == "hidden-disk")
    save(hidden_disk_, "hidden-disk", value);
  else
    return false;
  return true;
}

bool DiskReader::flag(const Piece& word) {
  const std::string_view name = word.text;
  if (name == "cdrom")
    disk_.cdrom = true;
  else if (name == "direct-io-safe")
    disk_.direct_io_safe = true;
  else if (name == "discard")
    disk_.discard = true;
  else if (name == "no-discard")
    disk_.discard = false;
  else if (name == "trusted")
    disk_.trusted = true;
  else if (name == "untrusted")
    disk_.trusted = false;
  else if (name == "colo")
    disk_.colo.enable = true;
  else if (name == "no-colo")
    disk_.colo.enable = false;
  else
    return false;
  return true;
}

bool DiskReader::prefix(const Piece& name) {
  if (is_among(name.text, format_prefixes)) {
    set_format(name);
  } else if (is_among(name.text, script_prefixes)) {
    const std::string script = "block-" + std::string(name.text);
    save(script_, "script", {script, name.place});
  } else if (!is_among(name.text, empty_prefixes)) {
    return false;
  }
  old_prefix_seen_ = true;
  return true;
}

void DiskReader::unusable_positional() {
  if (!target_) {
    target_ = Text();
  } else if (!old_prefix_seen_ && !format_seen_) {
    format_seen_ = true;
  }
}

void DiskReader::target(const Piece& value) {
  save(target_, "target", value);
}

// xend's way: the device's type behind its name, "hdc:cdrom".
void DiskReader::set_vdev_with_type(const Piece& word) {
  const std::size_t colon = word.text.rfind(':');
  if (colon == std::string_view::npos) {
    save(vdev_, "vdev", word);
    return;
  }
  set_device_type(word.part(colon + 1));
  save(vdev_, "vdev", word.part(0, colon));
}

void DiskReader::positional(const Piece& word) {
  if (!target_) {
    target(word);
  } else if (!old_prefix_seen_ && !format_seen_) {
    if (target_->value.empty() && word.text.find(':') != std::string_view::npos) {
      // xend's empty drive, ",hdc:cdrom,r", has no place for a format.
      format_seen_ = true;
      format_ = DiskFormat::empty;
      set_vdev_with_type(word);
    } else {
      set_format(word);
    }
  } else if (!vdev_) {
    set_vdev_with_type(word);
  } else if (!access_seen_) {
    access_seen_ = true;
    set_access(word);
  } else {
    findings_.error(word.place, fmt::format("'{}' is one parameter too many", printable(word.text)),
                    "by position there are target, format, vdev and access; flags are written "
                    "exactly, without blanks behind them");
  }
}

void DiskReader::check_vdev(const Piece& word) {
  if (!vdev_ || vdev_->value.empty()) {
    findings_.error({word.place.word, 0, 0}, "the disk has no vdev",
                    "say under what name the guest sees it, as third parameter or as vdev=xvda");
    return;
  }
  Result<Vdev> device = parse_vdev(vdev_->value);
  if (!device) {
    findings_.error(vdev_->place, device.error().message, device.error().hint);
    return;
  }
  disk_.device = *device;
}

Disk DiskReader::finish(const Piece& word) && {
  const auto text = [](std::optional<Text>& slot) { return slot ? std::move(slot->value) : ""; };
  check_vdev(word);
  if (!target_ && !disk_.cdrom) {
    findings_.error({word.place.word, 0, 0}, "the disk has no target",
                    "name a block device or an image file; only a cdrom may go without");
  }
  disk_.format = format_.value_or(DiskFormat::raw);
  if (disk_.cdrom) {
    if (disk_.read_write && access_place_) {
      findings_.warning(*access_place_, "a cdrom is read-only, whatever the access mode says",
                        "remove the access mode, or write 'ro'");
    }
    disk_.read_write = false;
    if (!target_ || target_->value.empty()) disk_.format = DiskFormat::empty;
  }
  if (target_) disk_.target = std::move(target_->value);
  disk_.vdev = text(vdev_);
  disk_.backend = text(backend_);
  disk_.script = text(script_);
  disk_.backend_type = backend_type_.value_or(DiskBackend::automatic);
  disk_.specification = specification_.value_or(DiskSpecification::unset);
  disk_.colo.host = text(colo_host_);
  disk_.colo.export_name = text(colo_export_);
  disk_.colo.active_disk = text(active_disk_);
  disk_.colo.hidden_disk = text(hidden_disk_);
  return std::move(disk_);
}

}  // namespace xl::config
