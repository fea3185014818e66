// Permissions: who may read, write, create, and change permissions.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/store/harness.hpp"

namespace px::store {
namespace {

class PermissionsTest : public StoreTest {
protected:
    ConnectionId one = make_domain(1);
    ConnectionId two = make_domain(2);
};

TEST_F(PermissionsTest, the_root_is_closed_to_guests) {
    EXPECT_EQ(ask(dom0, MessageType::get_perms, "/|"), "n0|");
    EXPECT_EQ(list(one, "/"), "!EACCES|");
    EXPECT_EQ(write(one, "/x", ""), "!EACCES|");
    EXPECT_EQ(read(one, "/not/there"), "!EACCES|");
    EXPECT_EQ(rm(one, "/tool"), "!EACCES|");
}

TEST_F(PermissionsTest, a_table_of_rights) {
    write(dom0, "/p", "v");
    const struct {
        const char* permissions;
        const char* read;
        const char* write;
    } rows[] = {
        {"n0|", "!EACCES|", "!EACCES|"},
        {"r0|", "v", "!EACCES|"},
        {"w0|", "!EACCES|", "OK|"},
        {"b0|", "v", "OK|"},
        {"n0|r1|", "v", "!EACCES|"},
        {"n0|w1|", "!EACCES|", "OK|"},
        {"n0|b1|", "v", "OK|"},
        {"b0|n1|", "!EACCES|", "!EACCES|"},
        {"n1|", "v", "OK|"},
        {"n0|b2|", "!EACCES|", "!EACCES|"},
    };
    for (const auto& row : rows) {
        ASSERT_EQ(permit(dom0, "/p", row.permissions), "OK|");
        EXPECT_EQ(ask(dom0, MessageType::get_perms, "/p|"), row.permissions);
        EXPECT_EQ(read(one, "/p"), row.read) << row.permissions;
        EXPECT_EQ(write(one, "/p", "v"), row.write) << row.permissions;
    }
}

TEST_F(PermissionsTest, a_missing_node_is_judged_by_its_closest_ancestor) {
    EXPECT_EQ(read(one, "/local/domain/1/x/y"), "!ENOENT|");
    EXPECT_EQ(read(one, "/local/domain/2/x/y"), "!EACCES|");
    EXPECT_EQ(write(one, "/local/domain/2/x/y", ""), "!EACCES|");
    EXPECT_EQ(rm(one, "/local/domain/2/x"), "!EACCES|");
}

TEST_F(PermissionsTest, new_nodes_inherit_and_belong_to_the_guest_that_made_them) {
    permit(dom0, "/local/domain/1", "r1|b2|");
    write(two, "/local/domain/1/a/b", "v");
    EXPECT_EQ(ask(dom0, MessageType::get_perms, "/local/domain/1/a|"), "r2|b2|");
    write(dom0, "/local/domain/1/c", "v");
    EXPECT_EQ(ask(dom0, MessageType::get_perms, "/local/domain/1/c|"), "r1|b2|");
    EXPECT_EQ(store.entries_of(DomId{1}), 2);
    EXPECT_EQ(store.entries_of(DomId{2}), 3);
}

TEST_F(PermissionsTest, only_the_owner_changes_permissions_and_never_the_owner) {
    write(one, "a", "v");
    EXPECT_EQ(permit(one, "a", "r1|b2|"), "OK|");
    EXPECT_EQ(permit(two, "/local/domain/1/a", "b2|"), "!EACCES|");
    EXPECT_EQ(permit(one, "a", "b2|"), "!EPERM|");
    EXPECT_EQ(permit(dom0, "/local/domain/1/a", "b2|"), "OK|");
    EXPECT_EQ(store.entries_of(DomId{1}), 1);
}

TEST_F(PermissionsTest, guests_may_not_manage_domains) {
    EXPECT_EQ(ask(one, MessageType::introduce, "9|2|3|"), "!EACCES|");
    EXPECT_EQ(ask(one, MessageType::release, "2|"), "!EACCES|");
    EXPECT_EQ(ask(one, MessageType::resume, "1|"), "!EACCES|");
    EXPECT_EQ(ask(one, MessageType::set_target, "1|2|"), "!EACCES|");
    EXPECT_EQ(permit(one, "@releaseDomain", "r1|"), "!EACCES|");
    EXPECT_EQ(ask(one, MessageType::get_domain_path, "1|"), "/local/domain/1|");
    EXPECT_EQ(ask(one, MessageType::is_domain_introduced, "2|"), "T|");
}

TEST_F(PermissionsTest, a_device_model_shares_its_targets_rights) {
    write(two, "a", "v");
    EXPECT_EQ(read(one, "/local/domain/2/a"), "!EACCES|");
    EXPECT_EQ(ask(dom0, MessageType::set_target, "1|2|"), "OK|");
    EXPECT_EQ(read(one, "/local/domain/2/a"), "v");
    EXPECT_EQ(permit(one, "/local/domain/2/a", "r2|"), "OK|");
    EXPECT_EQ(ask(dom0, MessageType::release, "2|"), "OK|");
    make_domain(2);
    EXPECT_EQ(list(one, "/local/domain/2"), "!EACCES|") << "the next domain 2 is another one";
}

TEST_F(PermissionsTest, a_number_used_again_inherits_nothing) {
    write(dom0, "/shared", "secret");
    permit(dom0, "/shared", "n0|r1|r2|");
    write(dom0, "/local/domain/2/from-one", "");
    permit(dom0, "/local/domain/2/from-one", "n1|");
    ASSERT_EQ(ask(dom0, MessageType::release, "1|"), "OK|");
    EXPECT_EQ(ask(dom0, MessageType::get_perms, "/shared|"), "n0|r2|");
    EXPECT_EQ(read(dom0, "/local/domain/2/from-one"), "!ENOENT|");
    EXPECT_EQ(read(dom0, "/local/domain/1"), "!ENOENT|");
    EXPECT_EQ(store.entries_of(DomId{1}), 0);
}

}  // namespace
}  // namespace px::store
