// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"

#include "xl/progress.hpp"

namespace xl::cli {
namespace {

Exit exit_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_config:
    case ErrorCode::invalid_image: return Exit::invalid;
    case ErrorCode::not_found: return Exit::not_found;
    case ErrorCode::hypervisor_gone: return Exit::unreachable;
    case ErrorCode::invalid_argument:
    case ErrorCode::already_exists:
    case ErrorCode::permission_denied:
    case ErrorCode::not_supported:
    case ErrorCode::no_memory:
    case ErrorCode::limit:
    case ErrorCode::busy:
    case ErrorCode::timeout:
    case ErrorCode::io:
    case ErrorCode::protocol:
    case ErrorCode::interrupted:
    case ErrorCode::internal: return Exit::failure;
  }
  return Exit::failure;
}

}  // namespace

Failure::Failure(const Error& error)
    : exit(exit_of(error.code)), text(describe(error)), id(id_of(error)) {}

Failure::Failure(const api::WireError& error)
    : exit(exit_of(error.error.code)),
      text(error.rendered.empty() ? describe(error.error) : error.rendered),
      complete(!error.rendered.empty()),
      id(id_of(error.error)) {}

Unexpected<Failure> wrong_usage(std::string text) {
  return Unexpected(Failure(Exit::usage, ErrorId::bad_usage, std::move(text)));
}

Outcome<api::Client> connect() {
  XL_TRY_ASSIGN(const api::RuntimeDir dir, api::RuntimeDir::from_environment());
  const Progress progress("reaching xld");
  Result<api::Client> client = api::Client::connect(dir);
  if (!client) {
    return Unexpected(Failure(Exit::unreachable, client.error()));
  }
  return std::move(client).value();
}

Outcome<void> check_target(api::Client& client, const std::string& domain) {
  const bool is_domid = domain.find_first_not_of("0123456789") == std::string::npos;
  if (!is_domid || domain.empty()) {
    XL_TRY(client.find(domain));
  }
  return {};
}

}  // namespace xl::cli
