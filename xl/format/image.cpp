// SPDX-License-Identifier: Apache-2.0
#include "xl/format/image.hpp"

#include <cinttypes>
#include <nlohmann/json.hpp>

#include "libxl++/api/json_reader.hpp"
#include "libxl++/api/wire_json.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

using nlohmann::json;

struct Report {
  std::string path, container, compression, boot_protocol, kernel_version, machine, elf_type;
  std::uint64_t file_bytes = 0, image_bytes = 0, elf_class = 0, entry = 0;
  json segments, notes, features;
  std::vector<std::string> boot_abis, problems;
};

Result<Report> read(std::string_view text) {
  XL_TRY_ASSIGN(const json value, api::parse_json(text));
  api::JsonReader reader(value, "image report");
  Report report;
  reader.need("path", report.path);
  reader.need("file_bytes", report.file_bytes);
  reader.need("container", report.container);
  reader.need("compression", report.compression);
  reader.need("boot_protocol", report.boot_protocol);
  reader.need("kernel_version", report.kernel_version);
  reader.need("image_bytes", report.image_bytes);
  reader.need("elf_class", report.elf_class);
  reader.need("machine", report.machine);
  reader.need("elf_type", report.elf_type);
  reader.need("entry", report.entry);
  reader.need("segments", report.segments);
  reader.need("notes", report.notes);
  reader.need("features", report.features);
  reader.need("boot_abis", report.boot_abis);
  reader.need("problems", report.problems);
  return reader.finish(std::move(report));
}

std::string join(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) {
    text.append(text.empty() ? "" : between).append(word);
  }
  return text;
}

std::string line(const char* key, const std::string& value) {
  return value.empty() ? std::string() : format("%-15s%s\n", key, value.c_str());
}

Result<std::string> segment_lines(const json& segments) {
  std::string text;
  for (const json& entry : segments) {
    api::JsonReader reader(entry, "segment");
    std::uint64_t physical = 0, virtual_address = 0, file_bytes = 0, memory_bytes = 0;
    unsigned flags = 0;
    reader.need("physical_address", physical);
    reader.need("virtual_address", virtual_address);
    reader.need("file_bytes", file_bytes);
    reader.need("memory_bytes", memory_bytes);
    reader.need("flags", flags);
    XL_TRY(reader.check());
    text +=
        format("  %#14" PRIx64 "  %#18" PRIx64 "  %12" PRIu64 "  %12" PRIu64 "  %c%c%c\n", physical,
               virtual_address, file_bytes, memory_bytes, (flags & 4) != 0 ? 'r' : '-',
               (flags & 2) != 0 ? 'w' : '-', (flags & 1) != 0 ? 'x' : '-');
  }
  return text.empty()
             ? text
             : "segments:\n        physical             virtual       in file     in memory\n" +
                   text;
}

Result<std::string> note_lines(const json& notes) {
  std::string text;
  for (const json& entry : notes) {
    api::JsonReader reader(entry, "note");
    std::string name;
    std::optional<std::uint64_t> number;
    std::optional<std::string> words, bytes;
    reader.need("name", name);
    reader.maybe("number", number);
    reader.maybe("text", words);
    reader.maybe("bytes", bytes);
    XL_TRY(reader.check());
    const std::string value = number  ? format("%#" PRIx64, *number)
                              : words ? "\"" + *words + "\""
                                      : bytes.value_or("");
    text += format("  %-20s %s\n", name.c_str(), value.c_str());
  }
  return text.empty() ? text : "Xen notes:\n" + text;
}

Result<std::string> feature_lines(const json& features) {
  api::JsonReader reader(features, "features");
  std::vector<std::string> supported, required, unknown;
  reader.need("supported", supported);
  reader.need("required", required);
  reader.need("unknown", unknown);
  XL_TRY(reader.check());
  return line("supports:", join(supported, ", ")) + line("requires:", join(required, ", ")) +
         line("unknown:", join(unknown, ", "));
}

}  // namespace

Result<std::string> image_text(std::string_view text) {
  XL_TRY_ASSIGN(const Report report, read(text));
  std::string out = report.path + "\n";
  out += line("container:",
              report.container +
                  (report.boot_protocol.empty() ? "" : ", boot protocol " + report.boot_protocol));
  out += line("version:", report.kernel_version);
  out += line("size:", std::to_string(report.file_bytes) + " bytes");
  out += line("payload:", report.compression == "none"
                              ? std::string("not compressed")
                              : report.compression + ", " + std::to_string(report.image_bytes) +
                                    " bytes unpacked");
  if (report.elf_class != 0) {
    out += line("image:", format("ELF%" PRIu64 " %s, %s, entry %#" PRIx64, report.elf_class,
                                 report.machine.c_str(), report.elf_type.c_str(), report.entry));
  }
  XL_TRY_ASSIGN(const std::string segments, segment_lines(report.segments));
  XL_TRY_ASSIGN(const std::string notes, note_lines(report.notes));
  XL_TRY_ASSIGN(const std::string features, feature_lines(report.features));
  out += segments + notes + features;
  out += line("boots as:", report.boot_abis.empty() ? "nothing that a domain can be made of"
                                                    : join(report.boot_abis, ", "));
  for (const std::string& problem : report.problems) {
    out += line("problem:", problem);
  }
  return out;
}

Result<std::string> image_json(std::string_view text) {
  XL_TRY_ASSIGN(const json value, api::parse_json(text));
  return value.dump(4) + "\n";
}

}  // namespace xl::cli
