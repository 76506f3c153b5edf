"""The first tables.

Revision: 0001, after nothing
"""

from alembic import op
import sqlalchemy as sa

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The books cannot be changed, only added to; erasing a whole shop is the one exception (app/ledger/models.py).
GUARDS_SQLITE = (
    """CREATE TRIGGER entries_never_updated BEFORE UPDATE ON entries
       BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END""",
    """CREATE TRIGGER entries_never_deleted BEFORE DELETE ON entries
       WHEN NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.shop_id = OLD.shop_id)
       BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END""",
)
GUARDS_POSTGRESQL = (
    """CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF TG_OP = 'DELETE' THEN
           IF EXISTS (SELECT 1 FROM erasures WHERE erasures.shop_id = OLD.shop_id) THEN RETURN OLD; END IF;
         END IF;
         RAISE EXCEPTION 'entries are never changed';
       END $$""",
    """CREATE TRIGGER entries_never_changed BEFORE UPDATE OR DELETE ON entries
       FOR EACH ROW EXECUTE FUNCTION refuse_change()""",
    """CREATE TRIGGER entries_never_truncated BEFORE TRUNCATE ON entries
       FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()""",
)


def upgrade():
    op.create_table('balances',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('available', sa.BigInteger(), nullable=False),
    sa.Column('pending', sa.BigInteger(), nullable=False),
    sa.Column('reserved', sa.BigInteger(), nullable=False),
    sa.Column('debt', sa.BigInteger(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('head', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint('available = 0 OR debt = 0', name=op.f('ck_balances_debt_first')),
    sa.CheckConstraint('available >= 0 AND pending >= 0 AND reserved >= 0 AND debt >= 0', name=op.f('ck_balances_not_negative')),
    sa.PrimaryKeyConstraint('shop_id', 'member_id', name=op.f('pk_balances'))
    )
    op.create_table('day_totals',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('shop_id', 'day', 'kind', name=op.f('pk_day_totals'))
    )
    op.create_table('deliveries',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('topic', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('webhook_id', sa.String(), nullable=False),
    sa.Column('api_version', sa.String(), nullable=False),
    sa.Column('triggered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.Column('state', sa.Enum('new', 'done', 'ignored', 'parked', name='delivery_state', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tries', sa.BigInteger(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('about', sa.String(), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('shop_id', 'key', name=op.f('pk_deliveries'))
    )
    op.create_index('ix_deliveries_due', 'deliveries', ['shop_id', 'due_at'], unique=False, postgresql_where=sa.text("state = 'new'"), sqlite_where=sa.text("state = 'new'"))
    op.create_index('ix_deliveries_parked', 'deliveries', ['shop_id', 'received_at'], unique=False, postgresql_where=sa.text("state = 'parked'"), sqlite_where=sa.text("state = 'parked'"))
    op.create_index('ix_deliveries_received', 'deliveries', ['shop_id', 'received_at'], unique=False, postgresql_using='brin')
    op.create_table('due_shops',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('lane', sa.Enum('settle', 'network', name='due_lane', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('next_due', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_served', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('fence', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('shop_id', 'lane', name=op.f('pk_due_shops'))
    )
    op.create_index('ix_due_shops_next', 'due_shops', ['lane', 'last_served', 'next_due'], unique=False)
    op.create_table('erasures',
    sa.Column('shop_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('shop_id', name=op.f('pk_erasures'))
    )
    op.create_table('members',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=True),
    sa.Column('address_hash', sa.String(), nullable=True),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('joined_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('merged_into', sa.BigInteger(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('redacted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_order_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('wanted_seq', sa.BigInteger(), nullable=False),
    sa.Column('synced_seq', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('shop_id', 'member_id', name=op.f('pk_members')),
    sa.UniqueConstraint('shop_id', 'customer_id', name=op.f('uq_members_shop_id_customer_id'))
    )
    op.create_index('ix_members_address', 'members', ['shop_id', 'address_hash'], unique=False)
    op.create_index('ix_members_dirty', 'members', ['shop_id'], unique=False, postgresql_where=sa.text('wanted_seq > synced_seq'), sqlite_where=sa.text('wanted_seq > synced_seq'))
    op.create_index('ix_members_joined', 'members', ['shop_id', 'joined_at', 'member_id'], unique=False)
    op.create_table('orders',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('order_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=True),
    sa.Column('address_hash', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('facts', sa.Text(), nullable=False),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('settlements', sa.BigInteger(), nullable=False),
    sa.Column('revenue_minor', sa.BigInteger(), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('redacted', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('shop_id', 'order_id', name=op.f('pk_orders'))
    )
    op.create_index('ix_orders_name', 'orders', ['shop_id', 'name'], unique=False)
    op.create_index('ix_orders_created', 'orders', ['shop_id', 'created_at'], unique=False)
    op.create_index('ix_orders_guest', 'orders', ['shop_id', 'address_hash'], unique=False, postgresql_where=sa.text('address_hash IS NOT NULL'), sqlite_where=sa.text('address_hash IS NOT NULL'))
    op.create_index('ix_orders_member', 'orders', ['shop_id', 'member_id', 'created_at'], unique=False)
    op.create_table('shops',
    sa.Column('shop_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('domain', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('primary_url', sa.String(), nullable=False),
    sa.Column('is_development', sa.Boolean(), nullable=False),
    sa.Column('scopes', sa.String(), nullable=False),
    sa.Column('app_installation_id', sa.String(), nullable=False),
    sa.Column('installed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('uninstalled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('hash_key', sa.LargeBinary(), nullable=False),
    sa.Column('published_seq', sa.BigInteger(), nullable=False),
    sa.Column('synced_seq', sa.BigInteger(), nullable=False),
    sa.Column('reconciled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recovered', sa.BigInteger(), nullable=False),
    sa.Column('setup_dismissed', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('shop_id', name=op.f('pk_shops')),
    sa.UniqueConstraint('domain', name=op.f('uq_shops_domain'))
    )
    op.create_table('adjustments',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('adjusted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['shop_id', 'member_id'], ['members.shop_id', 'members.member_id'], name=op.f('fk_adjustments_shop_id_member_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'key', name=op.f('pk_adjustments'))
    )
    op.create_table('decisions',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('order_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=True),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['shop_id', 'order_id'], ['orders.shop_id', 'orders.order_id'], name=op.f('fk_decisions_shop_id_order_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'order_id', 'number', name=op.f('pk_decisions'))
    )
    op.create_table('drafts',
    sa.Column('shop_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['shop_id'], ['shops.shop_id'], name=op.f('fk_drafts_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', name=op.f('pk_drafts'))
    )
    op.create_table('entries',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('event', sa.String(), nullable=False),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Enum('earned', 'matured', 'taken_back', 'repaid', 'adjusted', 'moved', name='kind', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('source', sa.Enum('pending', 'available', 'reserved', 'debt', 'issued', 'adjusted', 'moved', name='source', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('target', sa.Enum('pending', 'available', 'reserved', 'debt', 'issued', 'adjusted', 'moved', name='target', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('lot', sa.String(), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('posted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint('points > 0', name=op.f('ck_entries_points_positive')),
    sa.CheckConstraint('source <> target', name=op.f('ck_entries_accounts_differ')),
    sa.ForeignKeyConstraint(['shop_id', 'member_id'], ['balances.shop_id', 'balances.member_id'], name=op.f('fk_entries_shop_id_member_id')),
    sa.PrimaryKeyConstraint('shop_id', 'key', name=op.f('pk_entries')),
    sa.UniqueConstraint('shop_id', 'member_id', 'seq', name=op.f('uq_entries_shop_id_member_id_seq'))
    )
    op.create_index('ix_entries_shop_id_cause', 'entries', ['shop_id', 'cause'], unique=False)
    op.create_table('jobs',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('job_id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('arguments', sa.JSON(), nullable=False),
    sa.Column('lane', sa.Enum('settle', 'network', name='job_lane', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Enum('due', 'parked', name='job_state', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('tries', sa.BigInteger(), nullable=False),
    sa.Column('wanted', sa.BigInteger(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['shop_id'], ['shops.shop_id'], name=op.f('fk_jobs_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'job_id', name=op.f('pk_jobs')),
    sa.UniqueConstraint('shop_id', 'kind', 'subject', name=op.f('uq_jobs_shop_id_kind_subject'))
    )
    op.create_index('ix_jobs_due', 'jobs', ['shop_id', 'lane', 'due_at'], unique=False, postgresql_where=sa.text("state = 'due'"), sqlite_where=sa.text("state = 'due'"))
    op.create_table('lots',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('lot', sa.String(), nullable=False),
    sa.Column('pending', sa.BigInteger(), nullable=False),
    sa.Column('available', sa.BigInteger(), nullable=False),
    sa.Column('earned_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('matures_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('pending >= 0 AND available >= 0', name=op.f('ck_lots_not_negative')),
    sa.ForeignKeyConstraint(['shop_id', 'member_id'], ['balances.shop_id', 'balances.member_id'], name=op.f('fk_lots_shop_id_member_id')),
    sa.PrimaryKeyConstraint('shop_id', 'member_id', 'lot', name=op.f('pk_lots'))
    )
    op.create_index('ix_lots_due', 'lots', ['shop_id', 'matures_at'], unique=False, postgresql_where=sa.text('pending > 0'), sqlite_where=sa.text('pending > 0'))
    op.create_index('ix_lots_open', 'lots', ['shop_id', 'member_id', 'expires_at', 'earned_at'], unique=False, postgresql_where=sa.text('available > 0'), sqlite_where=sa.text('available > 0'))
    op.create_table('pauses',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['shop_id'], ['shops.shop_id'], name=op.f('fk_pauses_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'starts_at', name=op.f('pk_pauses'))
    )
    op.create_table('privacy_requests',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('request_id', sa.BigInteger(), nullable=False),
    sa.Column('customer_id', sa.BigInteger(), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('downloaded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('downloaded_by', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['shop_id'], ['shops.shop_id'], name=op.f('fk_privacy_requests_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'request_id', name=op.f('pk_privacy_requests'))
    )
    op.create_table('program_versions',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('settings', sa.JSON(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['shop_id'], ['shops.shop_id'], name=op.f('fk_program_versions_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'number', name=op.f('pk_program_versions'))
    )
    op.create_table('redacted_customers',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('customer_hash', sa.String(), nullable=False),
    sa.Column('redacted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['shop_id'], ['shops.shop_id'], name=op.f('fk_redacted_customers_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'customer_hash', name=op.f('pk_redacted_customers'))
    )
    op.create_table('shop_tokens',
    sa.Column('shop_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('access_token', sa.LargeBinary(), nullable=False),
    sa.Column('access_expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('refresh_token', sa.LargeBinary(), nullable=False),
    sa.Column('refresh_expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('token_version', sa.BigInteger(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('refreshed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('needs_reopening', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['shop_id'], ['shops.shop_id'], name=op.f('fk_shop_tokens_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', name=op.f('pk_shop_tokens'))
    )
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in GUARDS_POSTGRESQL if is_postgresql else GUARDS_SQLITE:
        op.execute(statement)
    if is_postgresql:
        # Bodies are small, short-lived JSON: keep them in the row while they fit, and spend nothing on compressing them.
        op.execute("ALTER TABLE deliveries SET (toast_tuple_target = 8160)")
        op.execute("ALTER TABLE deliveries ALTER COLUMN body SET STORAGE EXTERNAL")


def downgrade():
    op.drop_table('shop_tokens')
    op.drop_table('redacted_customers')
    op.drop_table('program_versions')
    op.drop_table('privacy_requests')
    op.drop_table('pauses')
    op.drop_index('ix_lots_open', table_name='lots', postgresql_where=sa.text('available > 0'), sqlite_where=sa.text('available > 0'))
    op.drop_index('ix_lots_due', table_name='lots', postgresql_where=sa.text('pending > 0'), sqlite_where=sa.text('pending > 0'))
    op.drop_table('lots')
    op.drop_index('ix_jobs_due', table_name='jobs', postgresql_where=sa.text("state = 'due'"), sqlite_where=sa.text("state = 'due'"))
    op.drop_table('jobs')
    op.drop_index('ix_entries_shop_id_cause', table_name='entries')
    op.drop_table('entries')
    op.drop_table('drafts')
    op.drop_table('decisions')
    op.drop_table('adjustments')
    op.drop_table('shops')
    op.drop_index('ix_orders_member', table_name='orders')
    op.drop_index('ix_orders_guest', table_name='orders', postgresql_where=sa.text('address_hash IS NOT NULL'), sqlite_where=sa.text('address_hash IS NOT NULL'))
    op.drop_index('ix_orders_name', table_name='orders')
    op.drop_index('ix_orders_created', table_name='orders')
    op.drop_table('orders')
    op.drop_index('ix_members_joined', table_name='members')
    op.drop_index('ix_members_dirty', table_name='members', postgresql_where=sa.text('wanted_seq > synced_seq'), sqlite_where=sa.text('wanted_seq > synced_seq'))
    op.drop_index('ix_members_address', table_name='members')
    op.drop_table('members')
    op.drop_table('erasures')
    op.drop_index('ix_due_shops_next', table_name='due_shops')
    op.drop_table('due_shops')
    op.drop_index('ix_deliveries_received', table_name='deliveries', postgresql_using='brin')
    op.drop_index('ix_deliveries_parked', table_name='deliveries', postgresql_where=sa.text("state = 'parked'"), sqlite_where=sa.text("state = 'parked'"))
    op.drop_index('ix_deliveries_due', table_name='deliveries', postgresql_where=sa.text("state = 'new'"), sqlite_where=sa.text("state = 'new'"))
    op.drop_table('deliveries')
    op.drop_table('day_totals')
    op.drop_table('balances')
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change")
