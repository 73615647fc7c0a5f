// SPDX-License-Identifier: Apache-2.0
#include "libxl++/toolstack/memory_nodes.hpp"

#include <fmt/format.h>

#include <charconv>

#include "libxl++/xenstore/path.hpp"

namespace xl::toolstack {

std::string memory_path(DomId id, const char* node) {
  return fmt::format("{}/memory/{}", xenstore::domain_path(id), node);
}

xenstore::NodeSpec memory_node(DomId id, const char* node, Bytes size) {
  return {memory_path(id, node), std::to_string(size.count() >> 10), nullptr};
}

Result<Bytes> read_memory(xenstore::NodeStore& store, DomId id, const char* node) {
  const std::string path = memory_path(id, node);
  XL_TRY_ASSIGN(const std::string text, store.read(path));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > ~0ULL >> 10) {
    return fail(ErrorCode::internal, fmt::format("{} is '{}', not a number", path, text));
  }
  return kib(value);
}

}  // namespace xl::toolstack
