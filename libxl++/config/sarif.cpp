// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/sarif.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "libxl++/config/characters.hpp"

namespace xl::config {
namespace {

using Json = nlohmann::ordered_json;

const char* explain(Rule rule) {
  switch (rule) {
    case Rule::syntax: return "The text follows the grammar of its format.";
    case Rule::key: return "Keys are known, and have an effect.";
    case Rule::unsupported: return "What is asked for is what a PVH domain can have.";
    case Rule::value: return "Values are of their key's type and range.";
    case Rule::contradiction: return "Keys do not contradict each other.";
    case Rule::device: return "Devices are specified as xl takes them.";
    case Rule::missing: return "What a domain needs is there.";
  }
  return "";
}

const char* cure(Rule rule) {
  switch (rule) {
    case Rule::syntax: return "xl.cfg(5), SYNTAX, has the grammar of each format.";
    case Rule::key: return "xl.cfg(5), ALL KEYS, says of each key what becomes of it.";
    case Rule::unsupported: return "xl.cfg(5), ALL KEYS, has the reason and what there is instead.";
    case Rule::value: return "xl.cfg(5), KEYS, says what each key takes.";
    case Rule::contradiction:
      return "Change one of the keys that the message names, or leave it out.";
    case Rule::device: return "xl-devices(5) has the parameters of each kind of device.";
    case Rule::missing: return "Every domain needs name= and kernel=.";
  }
  return "";
}

// What code hosts show of a rule beside each finding.
Json rules() {
  Json list = Json::array();
  for (const Rule rule : all_rules) {
    list.push_back({{"id", "xl/" + std::string(to_string(rule))},
                    {"name", to_string(rule)},
                    {"shortDescription", {{"text", explain(rule)}}},
                    {"fullDescription", {{"text", explain(rule)}}},
                    {"help", {{"text", cure(rule)}}},
                    {"defaultConfiguration", {{"level", "error"}}}});
  }
  return list;
}

// A file's name as a reference of RFC 3986.
std::string uri_of(std::string_view file) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (file.starts_with("./")) file.remove_prefix(2);
  std::string uri = file.starts_with('/') ? "file://" : "";
  for (const char c : file) {
    const auto octet = static_cast<unsigned char>(c);
    if (plain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      ((uri += '%') += digits[octet >> 4]) += digits[octet & 0xfU];
    }
  }
  return uri;
}

Json place_of(const Diagnostic& diagnostic) {
  const Location& location = diagnostic.location;
  Json place = {{"artifactLocation", {{"uri", uri_of(location.file)}}}};
  if (location.line != 0) {
    place["region"] = {{"startLine", location.line},
                       {"startColumn", location.column},
                       {"endColumn", location.column + location.length},
                       {"snippet", {{"text", diagnostic.snippet.text}}}};
  }
  return {{"physicalLocation", std::move(place)}};
}

Json result_of(const Diagnostic& diagnostic) {
  const auto* const at = std::find(std::begin(all_rules), std::end(all_rules), diagnostic.rule);
  const std::string hint = diagnostic.hint.empty() ? "" : "\nHint: " + diagnostic.hint;
  return {{"ruleId", "xl/" + std::string(to_string(diagnostic.rule))},
          {"ruleIndex", at - std::begin(all_rules)},
          {"level", to_string(diagnostic.severity)},
          {"message", {{"text", diagnostic.message + hint}}},
          {"locations", Json::array({place_of(diagnostic)})}};
}

}  // namespace

Json to_sarif(std::span<const std::string> files, std::span<const Diagnostic> diagnostics,
              std::string_view version) {
  Json artifacts = Json::array();
  for (const std::string& file : files)
    artifacts.push_back({{"location", {{"uri", uri_of(file)}}}});
  Json results = Json::array();
  for (const Diagnostic& diagnostic : diagnostics) results.push_back(result_of(diagnostic));
  Json run = {{"tool", {{"driver", {{"name", "xl"}, {"version", version}, {"rules", rules()}}}}},
              {"columnKind", "unicodeCodePoints"},
              {"artifacts", std::move(artifacts)},
              {"results", std::move(results)}};
  return {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"version", "2.1.0"},
          {"runs", Json::array({std::move(run)})}};
}

}  // namespace xl::config
