// SPDX-License-Identifier: Apache-2.0
// Quotas, features, and the events that are no node's.
#include "tests/xenstore/client_fixture.hpp"

namespace xl::xenstore {
namespace {

using fixture::StoreTest;
using fixture::strings;

class Admin : public StoreTest {};

TEST_F(Admin, QuotasAreListedReadAndSet) {
  EXPECT_EQ(zero.ask(get_quota_request, ""),
            strings({"nodes node-size watches transactions transaction-nodes permissions "
                     "pending-events"}));
  EXPECT_EQ(zero.ask(get_quota_request, {"watches"}), strings({"128"}));
  EXPECT_EQ(zero.ask(set_quota_request, {"1", "watches", "1"}), fixture::ok);
  EXPECT_EQ(zero.ask(set_quota_request, {"watches", "7"}), fixture::ok);
  EXPECT_EQ(zero.ask(get_quota_request, {"1", "watches"}), strings({"1"}));
  EXPECT_EQ(zero.ask(get_quota_request, {"2", "watches"}), strings({"7"}));
  EXPECT_EQ(zero.ask(set_quota_request, {"nonsense", "7"}), strings({"EINVAL"}));
  EXPECT_EQ(zero.ask(set_quota_request, {"70000", "watches", "7"}), strings({"EINVAL"}));
  EXPECT_EQ(guest.ask(set_quota_request, {"watches", "0"}), strings({"EACCES"}));
  EXPECT_EQ(guest.ask(get_quota_request, {"watches"}), strings({"EACCES"}));
}

TEST_F(Admin, AQuotaHoldsForItsDomainAndZeroIsNone) {
  zero.ask(set_quota_request, {"1", "watches", "1"});
  EXPECT_EQ(guest.ask(XS_WATCH, {"data", "a"}), fixture::ok);
  EXPECT_EQ(guest.ask(XS_WATCH, {"data", "b"}), strings({"E2BIG"}));
  EXPECT_EQ(store.hits(DomId(1)).watches, 1U);
  EXPECT_EQ(to_string(store.hits(DomId(1))), "watches 1");
  zero.ask(set_quota_request, {"1", "watches", "0"});
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(guest.ask(XS_WATCH, {"data", std::to_string(i)}), fixture::ok);
  }
  store.forget(DomId(1));
  EXPECT_EQ(zero.ask(get_quota_request, {"1", "watches"}), strings({"128"}));
}

TEST_F(Admin, FeaturesAreSetBeforeADomainIsIntroduced) {
  EXPECT_EQ(guest.ask(get_feature_request, ""), strings({"7"}));
  EXPECT_EQ(guest.ask(get_feature_request, {"2"}), strings({"EACCES"}));
  EXPECT_EQ(zero.ask(set_feature_request, {"5", "1"}), fixture::ok);
  EXPECT_EQ(zero.ask(get_feature_request, {"5"}), strings({"1"}));
  EXPECT_EQ(zero.ask(set_feature_request, {"5", "8"}), strings({"EINVAL"}));
  store.introduce(DomId(1), guest.connection);
  EXPECT_EQ(zero.ask(set_feature_request, {"1", "1"}), strings({"EBUSY"}));
  store.release(DomId(1));
}

TEST_F(Admin, SpecialEventsNameTheDomainForThoseWhoAsk) {
  EXPECT_EQ(zero.ask(XS_WATCH, {"@releaseDomain", "all"}), fixture::ok);
  EXPECT_EQ(zero.ask(XS_WATCH, {"@releaseDomain", "each", "1"}), fixture::ok);
  EXPECT_EQ(zero.ask(XS_WATCH, {"@releaseDomain/2", "two"}), fixture::ok);
  EXPECT_EQ(zero.ask(XS_WATCH, {"@releaseDomain", "deep", "2"}), strings({"EINVAL"}));
  zero.events();
  store.fire_special(release_event, DomId(1));
  EXPECT_EQ(zero.events(), (std::vector<std::string>{"@releaseDomain", "@releaseDomain/1"}));
  store.fire_special(release_event, DomId(2));
  EXPECT_EQ(zero.events(),
            (std::vector<std::string>{"@releaseDomain", "@releaseDomain/2", "@releaseDomain/2"}));
}

TEST_F(Admin, ReleaseCutsAGuestOffUntilItIsIntroducedAgain) {
  store.introduce(DomId(1), guest.connection);
  EXPECT_EQ(zero.ask(XS_IS_DOMAIN_INTRODUCED, {"1"}), strings({"T"}));
  EXPECT_EQ(zero.ask(XS_RELEASE, {"1"}), fixture::ok);
  EXPECT_EQ(zero.ask(XS_IS_DOMAIN_INTRODUCED, {"1"}), strings({"F"}));
  EXPECT_EQ(zero.ask(XS_RELEASE, {"1"}), strings({"ENOENT"}));
  EXPECT_TRUE(guest.connection.broken());
  guest.connection.reset();
  EXPECT_TRUE(guest.connection.broken()) << "a guest cannot help itself";
  EXPECT_EQ(zero.ask(XS_INTRODUCE, {"1", "1", "1"}), fixture::ok);
  EXPECT_EQ(guest.read("data"), "");
  store.release(DomId(1));
}

TEST_F(Admin, RequestsAreCounted) {
  const auto reads = store.counts().by_type[XS_READ];
  guest.read("data");
  guest.read("nothing");
  EXPECT_EQ(store.counts().by_type[XS_READ], reads + 2);
  EXPECT_EQ(store.counts().errors, 1U);
  EXPECT_EQ(request_name(XS_DIRECTORY_PART), "directory_part");
  EXPECT_EQ(request_name(set_quota_request), "set_quota");
  EXPECT_EQ(request_name(XS_RM), "rm");
  EXPECT_EQ(request_name(XS_IS_DOMAIN_INTRODUCED), "is_domain_introduced");
}

}  // namespace
}  // namespace xl::xenstore
