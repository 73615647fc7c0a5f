// SPDX-License-Identifier: Apache-2.0
#include "libdomainbuilder/image/report_json.hpp"

#include <nlohmann/json.hpp>

namespace xl::build {

namespace {

nlohmann::json note_json(const Note& note) {
  nlohmann::json json{{"type", note.type}, {"name", note.name}, {"size", note.descriptor_size}};
  if (note.number) {
    json["number"] = *note.number;
  } else if (note.text) {
    json["text"] = *note.text;
  } else {
    json["bytes"] = note.bytes;
  }
  return json;
}

nlohmann::json segment_json(const SegmentReport& segment) {
  return {{"physical_address", segment.physical.value()},
          {"virtual_address", segment.virtual_address},
          {"offset", segment.offset},
          {"file_bytes", segment.file_size.count()},
          {"memory_bytes", segment.memory_size.count()},
          {"flags", segment.flags}};
}

}  // namespace

void to_json(nlohmann::json& json, const ImageReport& report) {
  json = {{"path", report.path},
          {"file_bytes", report.file_size.count()},
          {"container", to_string(report.container)},
          {"compression", to_string(report.compression)},
          {"boot_protocol", report.boot_protocol},
          {"kernel_version", report.kernel_version},
          {"image_bytes", report.image_size.count()},
          {"elf_class", report.elf_class},
          {"machine", report.machine_name},
          {"elf_type", report.elf_type},
          {"entry", report.entry},
          {"segments", nlohmann::json::array()},
          {"notes", nlohmann::json::array()},
          {"features",
           {{"supported", report.features.supported},
            {"required", report.features.required},
            {"unknown", report.features.unknown}}},
          {"boot_abis", nlohmann::json::array()},
          {"problems", report.problems}};
  for (const SegmentReport& segment : report.segments) {
    json["segments"].push_back(segment_json(segment));
  }
  for (const Note& note : report.notes) {
    json["notes"].push_back(note_json(note));
  }
  for (const BootAbi abi : report.boot_abis) {
    json["boot_abis"].push_back(to_string(abi));
  }
}

}  // namespace xl::build
