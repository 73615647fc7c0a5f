// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/findings.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "libxl++/config/parse.hpp"

namespace xl::config {

void Findings::add(Severity severity, Rule rule, Span span, std::string message, std::string hint) {
  errors_ += severity == Severity::error ? 1 : 0;
  findings_.push_back({severity, false, span, std::move(message), std::move(hint), rule});
}

void Findings::error(Span span, std::string message, std::string hint) {
  add(Severity::error, rule_, span, std::move(message), std::move(hint));
}

void Findings::warning(Span span, std::string message, std::string hint) {
  add(Severity::warning, rule_, span, std::move(message), std::move(hint));
}

void Findings::error(Rule rule, Span span, std::string message, std::string hint) {
  add(Severity::error, rule, span, std::move(message), std::move(hint));
}

void Findings::warning(Rule rule, Span span, std::string message, std::string hint) {
  add(Severity::warning, rule, span, std::move(message), std::move(hint));
}

void Findings::error_in(std::uint32_t source, std::string message, std::string hint) {
  ++errors_;
  findings_.push_back(
      {Severity::error, true, {source, 0, 0}, std::move(message), std::move(hint), Rule::missing});
}

bool Findings::full() const {
  return errors_ > max_diagnostics;
}

bool Findings::enough_warnings() const {
  return findings_.size() - errors_ > max_diagnostics;
}

void Findings::sort() {
  const auto order = [](const Finding& finding) {
    return std::tuple(finding.span.source, finding.whole_source, finding.span.offset);
  };
  const auto before = [&](const Finding& a, const Finding& b) { return order(a) < order(b); };
  const auto same = [&](const Finding& a, const Finding& b) {
    return order(a) == order(b) && a.message == b.message;
  };
  std::stable_sort(findings_.begin(), findings_.end(), before);
  findings_.erase(std::unique(findings_.begin(), findings_.end(), same), findings_.end());
}

Diagnostic Findings::describe(Finding&& finding) const {
  const SourceText& source = sources_[finding.span.source];
  Diagnostic diagnostic{finding.severity,        {}, std::move(finding.message),
                        std::move(finding.hint), {}, finding.rule};
  if (finding.whole_source) {
    diagnostic.location.file = source.name();
  } else {
    diagnostic.location = source.locate(finding.span.offset, finding.span.length);
    diagnostic.snippet = source.snippet(finding.span.offset, finding.span.length);
  }
  return diagnostic;
}

// Beyond max_diagnostics warnings go, the last ones first: they must not hide an error.
bool Findings::drop_warnings() {
  bool dropped = false;
  while (findings_.size() > max_diagnostics) {
    const auto last =
        std::find_if(findings_.rbegin(), findings_.rend(),
                     [](const Finding& finding) { return finding.severity == Severity::warning; });
    if (last == findings_.rend()) break;
    findings_.erase(std::next(last).base());
    dropped = true;
  }
  return dropped;
}

std::vector<Diagnostic> Findings::take() && {
  sort();
  const bool dropped = drop_warnings();
  std::vector<Diagnostic> diagnostics;
  for (Finding& finding : findings_) {
    if (diagnostics.size() == max_diagnostics) {
      // The last one stands where the next finding would, so that the order holds.
      diagnostics.push_back(describe({Severity::error,
                                      finding.whole_source,
                                      finding.span,
                                      "more findings from here on are not shown",
                                      {}}));
      return diagnostics;
    }
    diagnostics.push_back(describe(Finding(finding)));
  }
  if (dropped) {
    const Finding& last = findings_.back();
    diagnostics.push_back(describe(
        {Severity::warning, last.whole_source, last.span, "more warnings are not shown", {}}));
  }
  return diagnostics;
}

}  // namespace xl::config
