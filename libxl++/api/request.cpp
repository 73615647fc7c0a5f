// SPDX-License-Identifier: Apache-2.0
#include "libxl++/api/request.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "libxl++/api/utf8.hpp"
#include "libxl++/api/wire_json.hpp"

namespace xl::api {
namespace {

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) {
      return fail(ErrorId::bad_request, "the request's target has a broken percent escape");
    }
    out += static_cast<char>(value);
    at += 2;
  }
  if (!is_utf8(out) || out.find('\0') != std::string::npos) {
    return fail(ErrorId::bad_request, "the request's target is not UTF-8 text");
  }
  return out;
}

// Calls take(piece) for each piece of `text` between separators.
template <typename Take>
Result<void> split(std::string_view text, char separator, Take take) {
  while (true) {
    const std::size_t end = text.find(separator);
    XL_TRY(take(text.substr(0, end)));
    if (end == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') {
    return fail(ErrorId::bad_request, "the request's target does not start with '/'");
  }
  Target target;
  const std::size_t question = text.find('?');
  XL_TRY(
      split(text.substr(1, question - 1), '/', [&target](std::string_view piece) -> Result<void> {
        XL_TRY_ASSIGN(std::string segment, percent_decode(piece));
        target.segments.push_back(std::move(segment));
        return {};
      }));
  if (question == std::string_view::npos) {
    return target;
  }
  XL_TRY(split(text.substr(question + 1), '&', [&target](std::string_view piece) -> Result<void> {
    const std::size_t equals = piece.find('=');
    XL_TRY_ASSIGN(std::string name, percent_decode(piece.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      XL_TRY_ASSIGN(value, percent_decode(piece.substr(equals + 1)));
    }
    target.query[std::move(name)] = std::move(value);
    return {};
  }));
  return target;
}

Result<std::uint64_t> query_number(const Request& request, const char* name,
                                   std::uint64_t fallback) {
  const auto found = request.target.query.find(name);
  if (found == request.target.query.end()) {
    return fallback;
  }
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return fail(ErrorId::bad_request, std::string("'") + name + "' is not a number");
  }
  return value;
}

int http_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return 400;
    case ErrorCode::invalid_config: return 422;
    case ErrorCode::invalid_image: return 422;
    case ErrorCode::not_found: return 404;
    case ErrorCode::already_exists: return 409;
    case ErrorCode::permission_denied: return 403;
    case ErrorCode::not_supported: return 501;
    case ErrorCode::no_memory: return 507;
    case ErrorCode::limit: return 429;
    case ErrorCode::busy: return 503;
    case ErrorCode::timeout: return 504;
    case ErrorCode::io: return 500;
    case ErrorCode::protocol: return 400;
    case ErrorCode::hypervisor_gone: return 502;
    case ErrorCode::interrupted: return 503;
    case ErrorCode::internal: return 500;
  }
  return 500;
}

Reply error_reply(const WireError& error, int status) {
  Reply reply;
  reply.status = status;
  reply.body = dump(to_json(error));
  return reply;
}

Reply error_reply(const WireError& error) {
  return error_reply(error, http_status(error.error.code));
}

}  // namespace xl::api
