// SPDX-License-Identifier: Apache-2.0
// DiskReader: a disk in the making, fed with one parameter after the other. What has been given by
// name and by position decides what the next positional parameter is, as in libxlutil.
#pragma once

#include <optional>
#include <string>

#include "libxl++/config/devices/disk.hpp"
#include "libxl++/config/devices/spec.hpp"

namespace xl::config {

class DiskReader {
 public:
  explicit DiskReader(SpecFindings& findings) : findings_(findings) {}

  // A keyword with its value; false: there is no such keyword.
  bool keyword(const Piece& key, const Piece& value);
  bool flag(const Piece& word);  // false: it is none
  void positional(const Piece& word);
  // What stands where a positional parameter was expected and is none: it has its place all the
  // same, so that those behind it are read as what they are.
  void unusable_positional();
  // A name and its colon before the target ("phy:", "qcow2:", "nbd:"); false: it is none.
  bool prefix(const Piece& name);
  void target(const Piece& value);

  // With the defaults, and what is missing found; `word` is where that is said.
  Disk finish(const Piece& word) &&;

 private:
  // A text that may be given again only over an empty one.
  struct Text {
    std::string value;
    SpecPlace place;
  };
  void save(std::optional<Text>& slot, std::string_view what, const Piece& value);
  void set_format(const Piece& value);
  void set_access(const Piece& value);
  void set_backend_type(const Piece& value);
  void set_specification(const Piece& value);
  void set_device_type(const Piece& value);
  void set_colo_port(const Piece& value);
  void set_vdev_with_type(const Piece& word);
  void check_vdev(const Piece& word);

  SpecFindings& findings_;
  Disk disk_;
  std::optional<Text> target_, vdev_, backend_, script_;
  std::optional<Text> colo_host_, colo_export_, active_disk_, hidden_disk_;
  std::optional<DiskFormat> format_;
  std::optional<DiskBackend> backend_type_;
  std::optional<DiskSpecification> specification_;
  std::optional<SpecPlace> access_place_;
  bool format_seen_ = false;      // a wrong one too
  bool access_seen_ = false;      // by position
  bool old_prefix_seen_ = false;  // then no positional parameter is the format
};

}  // namespace xl::config
