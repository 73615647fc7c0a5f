// SPDX-License-Identifier: Apache-2.0
// The reader of libvirt's domain XML, for the two files that it lies in; others use readers.hpp.
// Borrows the tree, the findings and the assignments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/config/formats/xml_tree.hpp"
#include "libxl++/config/syntax.hpp"

namespace xl::config::libvirt {

class Reader {
 public:
  Reader(Findings& findings, std::vector<Assignment>& assignments)
      : findings_(findings), assignments_(assignments) {}

  void read(const XmlElement& domain);

 private:
  void read_other(const XmlElement& child);
  void read_memory(const XmlElement& domain);
  void read_vcpu(const XmlElement& vcpu);
  void read_pins(const XmlElement* vcpu, const XmlElement* cputune);
  void read_cputune(const XmlElement& cputune);
  void read_type(const XmlElement& type);
  void read_os(const XmlElement& os);
  void read_features(const XmlElement& domain, const XmlElement* features);
  void read_clock(const XmlElement& clock);
  void read_devices(const XmlElement& devices);
  void read_device(const XmlElement& device);
  std::optional<std::string> disk_spec(const XmlElement& element);
  std::optional<std::string> vif_spec(const XmlElement& element);
  std::optional<std::string> pci_spec(const XmlElement& element);
  void warn_children(const XmlElement& element, std::initializer_list<std::string_view> known);
  void note_metadata(const XmlElement& config);
  void read_metadata(const XmlElement& config);
  std::optional<Value> metadata_value(const XmlElement& element);

  std::optional<std::uint64_t> whole_number(const XmlElement& element, std::string_view text,
                                            Span span);
  std::optional<std::string> mebibytes(const XmlElement& element);
  // Unless the key is implied, or set in our metadata.
  void add(std::string_view key, Value::Kind kind, std::string text, Span span);
  void add(std::string_view key, Value value, Span key_span);
  void no_counterpart(const XmlElement& element, std::string_view what = {});

  Findings& findings_;
  std::vector<Assignment>& assignments_;
  std::vector<std::string_view> implied_;
};

}  // namespace xl::config::libvirt
