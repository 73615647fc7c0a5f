// SPDX-License-Identifier: Apache-2.0
// The requests by which domain 0 looks after the store itself: quotas, features, control.
#include <string>
#include <utility>

#include "libxl++/xenstore/connection.hpp"
#include "libxl++/xenstore/path.hpp"
#include "libxl++/xenstore/store.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace xl::xenstore {
namespace {

const std::string ok("OK\0", 3);

std::string terminated(std::string text) {
  return text += '\0';
}

XsResult<DomId> domain_argument(std::string_view text) {
  XL_TRY_ASSIGN(const std::uint32_t number, parse_number(text));
  if (number > UINT16_MAX) {
    return refuse(EINVAL);
  }
  return DomId(static_cast<std::uint16_t>(number));
}

std::string limits_text(const Limits& limits) {
  std::string text;
  for (const LimitField& field : limit_fields) {
    text += std::string(field.name) + ": " + std::to_string(limits.*field.limit) + '\n';
  }
  return text;
}

}  // namespace

// []: the names; [quota]: the default; [domain, quota].
Connection::Reply Connection::get_quota(Request& request) {
  if (!caller_.is_privileged()) {
    return refuse(EACCES);
  }
  const auto first = request.payload.string();
  const auto second = request.payload.string();
  if (!first || first->empty()) {
    std::string names;
    for (const LimitField& field : limit_fields) {
      names += (names.empty() ? "" : " ") + std::string(field.name);
    }
    return terminated(std::move(names));
  }
  const LimitField* field = find_limit(second ? *second : *first);
  if (field == nullptr) {
    return refuse(EINVAL);
  }
  if (!second) {
    return terminated(std::to_string(store_.default_limits().*field->limit));
  }
  XL_TRY_ASSIGN(const DomId domain, domain_argument(*first));
  return terminated(std::to_string(store_.limits(domain).*field->limit));
}

// [quota, value]: the default; [domain, quota, value].
Connection::Reply Connection::set_quota(Request& request) {
  if (!caller_.is_privileged()) {
    return refuse(EACCES);
  }
  const auto first = request.payload.string();
  const auto second = request.payload.string();
  const auto third = request.payload.string();
  if (!first || !second) {
    return refuse(EINVAL);
  }
  const LimitField* field = find_limit(third ? *second : *first);
  if (field == nullptr) {
    return refuse(EINVAL);
  }
  XL_TRY_ASSIGN(const std::uint32_t value, parse_number(third ? *third : *second));
  std::optional<DomId> domain;
  if (third) {
    XL_TRY_ASSIGN(domain, domain_argument(*first));
  }
  store_.set_limit(domain, *field, value);
  return ok;
}

Connection::Reply Connection::get_feature(Request& request) {
  const auto given = request.payload.string();
  if (given && !given->empty()) {
    if (!caller_.is_privileged()) {
      return refuse(EACCES);
    }
    XL_TRY_ASSIGN(const DomId domain, domain_argument(*given));
    return terminated(std::to_string(store_.features(domain)));
  }
  return terminated(std::to_string(store_.features(caller_.domain)));
}

Connection::Reply Connection::set_feature(Request& request) {
  if (!caller_.is_privileged()) {
    return refuse(EACCES);
  }
  const auto given = request.payload.string();
  if (!given) {
    return refuse(EINVAL);
  }
  XL_TRY_ASSIGN(const DomId domain, domain_argument(*given));
  XL_TRY_ASSIGN(const std::uint32_t value, request.payload.number());
  if ((value & ~all_features) != 0) {
    return refuse(EINVAL);
  }
  if (domain == DomId(0) || store_.connection_of(domain) != nullptr) {
    return refuse(EBUSY);
  }
  store_.set_features(domain, value);
  return ok;
}

Connection::Reply Connection::control(Request& request) {
  if (!caller_.is_privileged()) {
    return refuse(EACCES);
  }
  const std::optional<std::string_view> command = request.payload.string();
  if (command == "help") {
    return terminated("help\ncheck\nquota");
  }
  if (command == "check") {
    return ok;
  }
  if (command != "quota") {
    return refuse(EINVAL);
  }
  const auto word = request.payload.string();
  if (!word) {
    return terminated(limits_text(store_.default_limits()));
  }
  if (*word == "set") {
    return set_quota(request);
  }
  XL_TRY_ASSIGN(const DomId domain, domain_argument(*word));
  return terminated(limits_text(store_.limits(domain)) +
                    "owned nodes: " + std::to_string(store_.tree().owned_by(domain)) +
                    "\nhits: " + to_string(store_.hits(domain)) + '\n');
}

}  // namespace xl::xenstore
