// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "xl/command.hpp"
#include "xl/options.hpp"
#include "xl/progress.hpp"

namespace xl::cli {
namespace {

template <typename Number>
bool parse(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end;
}

}  // namespace

Outcome<void> run_vcpu_set(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "it:", {{"ignore-host", 'i'}, {"timeout", 't', true}}));
  XL_TRY(options.need_words(2, 2));
  api::VcpusRequest request;
  request.ignore_host = options.has('i');
  if (!parse(options.words()[1], request.vcpus)) {
    return wrong_usage("'" + options.words()[1] + "' is not a number of vcpus");
  }
  if (const char* const given = options.value('t')) {
    std::uint32_t seconds = 0;
    if (!parse(std::string_view(given), seconds)) {
      return wrong_usage("'" + std::string(given) + "' is not a number of seconds");
    }
    request.timeout_ms = std::uint64_t{seconds} * 1000;
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  const Progress progress("waiting for the vcpus of '" + options.words()[0] + "'");
  XL_TRY(client.set_vcpus(options.words()[0], request));
  return {};
}

Outcome<void> run_trigger(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(2, 3));
  std::uint32_t vcpu = 0;
  if (options.words().size() == 3 && !parse(options.words()[2], vcpu)) {
    return wrong_usage("'" + options.words()[2] + "' is not the number of a vcpu");
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY(client.trigger(options.words()[0], options.words()[1], vcpu));
  return {};
}

}  // namespace xl::cli
