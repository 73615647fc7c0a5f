// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::bad_request, ErrorCode::protocol, "bad-request",
     "the request is not as the API has it",
     "It is no JSON or not HTTP, or lacks a member, has one of the wrong type or one that is not "
     "known.",
     "Compare it with openapi.yaml; the message names the member."},
    {ErrorId::no_such_path, ErrorCode::not_found, "no-such-path", "the API has no such path",
     "A path that is misspelt, or one of a newer version.",
     "openapi.yaml has them all; `xl version` tells the version."},
    {ErrorId::method_not_allowed, ErrorCode::not_supported, "method-not-allowed",
     "the path does not take this method",
     "The path exists for another method, or wants the connection upgraded.",
     "openapi.yaml has the methods of each path."},
    {ErrorId::request_too_large, ErrorCode::limit, "request-too-large", "the request is too large",
     "A head or a body has a bound, so that no client can take all of xld's memory.",
     "A config has at most 1 MiB."},
    {ErrorId::request_too_slow, ErrorCode::timeout, "request-too-slow",
     "the request took too long to arrive", "The client began a request and did not end it.",
     "Send it at once."},
    {ErrorId::too_many_connections, ErrorCode::limit, "too-many-connections",
     "too many clients are connected",
     "There is a bound, so that clients that hang do not take all descriptors.",
     "End some (consoles, `xl events --follow`), and try again."},
    {ErrorId::daemon_out_of_memory, ErrorCode::no_memory, "daemon-out-of-memory",
     "xld is out of memory", "The host has none, or a limit (RLIMIT_AS, a cgroup) holds it down.",
     "`xl doctor` shows memory and limits."},
};

}  // namespace

const ErrorChapter api = {
    "The API", "What clients other than xl may see: openapi.yaml describes each request.", rows};

}  // namespace xl::errors
