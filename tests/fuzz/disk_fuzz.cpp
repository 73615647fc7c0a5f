// SPDX-License-Identifier: Apache-2.0
// Disk specifications, in words that a newline separates. What was taken is written by keywords and
// taken again, with the same meaning.
#include "spec_check.hpp"

namespace {

using namespace xl::config;  // NOLINT: the target is about it

// By keywords, target= last. None where no keyword says it: a target that was not given.
std::string by_keywords(const Disk& disk) {
  std::string spec = "vdev=" + disk.vdev;
  spec += ",format=" + std::string(name_of(disk_formats, disk.format));
  spec += disk.read_write ? ",access=rw" : ",access=ro";
  if (disk.cdrom) spec += ",cdrom";
  if (!disk.backend.empty()) spec += ",backend=" + disk.backend;
  if (!disk.script.empty()) spec += ",script=" + disk.script;
  if (disk.discard) spec += *disk.discard ? ",discard" : ",no-discard";
  if (disk.target) spec += ",target=" + *disk.target + ",";
  return spec;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n') {
      words.emplace_back();
    } else {
      words.back() += static_cast<char>(data[i]);
    }
  }
  const ParsedSpec<Disk> parsed = parse_disk(words);
  check_spec(parsed, words);
  if (!parsed.value) return 0;
  const ParsedSpec<Disk> again = parse_disk(by_keywords(*parsed.value));
  require(again.value.has_value());
  require(again.value->vdev == parsed.value->vdev && again.value->device == parsed.value->device);
  require(again.value->target == parsed.value->target);
  require(again.value->format == parsed.value->format);
  require(again.value->read_write == parsed.value->read_write);
  require(again.value->backend == parsed.value->backend);
  require(again.value->script == parsed.value->script);
  return 0;
}
