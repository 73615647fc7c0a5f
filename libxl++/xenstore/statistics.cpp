// SPDX-License-Identifier: Apache-2.0
#include "libxl++/xenstore/statistics.hpp"

namespace xl::xenstore {
namespace {

// By number; the empty ones are replies, or gone from the protocol.
constexpr std::array<std::string_view, request_types> names{"control",
                                                            "directory",
                                                            "read",
                                                            "get_perms",
                                                            "watch",
                                                            "unwatch",
                                                            "transaction_start",
                                                            "transaction_end",
                                                            "introduce",
                                                            "release",
                                                            "get_domain_path",
                                                            "write",
                                                            "mkdir",
                                                            "rm",
                                                            "set_perms",
                                                            "",
                                                            "",
                                                            "is_domain_introduced",
                                                            "resume",
                                                            "set_target",
                                                            "",
                                                            "reset_watches",
                                                            "directory_part",
                                                            "get_feature",
                                                            "set_feature",
                                                            "get_quota",
                                                            "set_quota"};

}  // namespace

std::string_view request_name(std::size_t type) {
  return type < names.size() ? names[type] : std::string_view();
}

std::string to_string(const LimitHits& hits) {
  std::string text;
  for (const LimitField& field : limit_fields) {
    if (hits.*field.hits != 0) {
      text += (text.empty() ? "" : ", ") + std::string(field.name) + ' ' +
              std::to_string(hits.*field.hits);
    }
  }
  return text;
}

}  // namespace xl::xenstore
