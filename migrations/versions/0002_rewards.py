"""Rewards: terms, discounts, codes, redemptions; and the movements of points they need.

Revision: 0002, after 0001
"""

from alembic import op
import sqlalchemy as sa

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

KINDS = ('earned', 'matured', 'taken_back', 'repaid', 'adjusted', 'moved')
NEW_KINDS = ('reserved', 'released', 'redeemed', 'given_back')
ACCOUNTS = ('pending', 'available', 'reserved', 'debt', 'issued', 'adjusted', 'moved')
NEW_ACCOUNTS = ('redeemed',)
COLUMNS = 'shop_id, key, event, cause, member_id, seq, kind, source, target, points, lot, occurred_at, posted_at, digest'


def allow(kinds, accounts):
    """Let entries be of these kinds, between these accounts."""
    allowed = {'kind': kinds, 'source': accounts, 'target': accounts}
    if op.get_bind().dialect.name == "postgresql":
        for name, words in allowed.items():
            op.drop_constraint(f'ck_entries_{name}', 'entries')
            op.create_check_constraint(op.f(f'ck_entries_{name}'), 'entries', sa.column(name).in_(words))
        return
    # SQLite cannot change a CHECK: the rows go into a new table as they are, and its guards are made anew.
    guards = op.get_bind().execute(sa.text(
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entries'")).scalars().all()
    op.rename_table('entries', 'entries_before')
    op.create_table('entries',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('event', sa.String(), nullable=False),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Enum(*kinds, name='kind', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('source', sa.Enum(*accounts, name='source', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('target', sa.Enum(*accounts, name='target', native_enum=False, create_constraint=True, length=16), nullable=False),
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
    op.execute(f"INSERT INTO entries ({COLUMNS}) SELECT {COLUMNS} FROM entries_before")
    for name in ('entries_never_updated', 'entries_never_deleted'):
        op.execute(f"DROP TRIGGER {name}")
    op.drop_table('entries_before')
    op.create_index('ix_entries_shop_id_cause', 'entries', ['shop_id', 'cause'], unique=False)
    for guard in guards:
        op.execute(guard)


def upgrade():
    op.create_table('failed_tries',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('who', sa.String(), nullable=False),
    sa.Column('minute', sa.BigInteger(), nullable=False),
    sa.Column('tries', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('shop_id', 'who', 'minute', name=op.f('pk_failed_tries'))
    )
    op.create_table('reward_terms',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('reward_id', sa.String(), nullable=False),
    sa.Column('slot', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('reward', sa.JSON(), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('price_minor', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['shop_id'], ['shops.shop_id'], name=op.f('fk_reward_terms_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'reward_id', name=op.f('pk_reward_terms'))
    )
    op.create_index('ix_reward_terms_slot', 'reward_terms', ['shop_id', 'slot'], unique=False)
    op.create_table('reward_uses',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('slot', sa.String(), nullable=False),
    sa.Column('what', sa.String(), nullable=False),
    sa.Column('period', sa.String(), nullable=False),
    sa.Column('used', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['shop_id'], ['shops.shop_id'], name=op.f('fk_reward_uses_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'slot', 'what', 'period', name=op.f('pk_reward_uses'))
    )
    op.create_table('discounts',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('reward_id', sa.String(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=True),
    sa.Column('month', sa.String(), nullable=False),
    sa.Column('gid', sa.String(), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('wanted', sa.BigInteger(), nullable=False),
    sa.Column('bulk_gid', sa.String(), nullable=True),
    sa.Column('bulk_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problem', sa.String(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['shop_id', 'reward_id'], ['reward_terms.shop_id', 'reward_terms.reward_id'], name=op.f('fk_discounts_shop_id_reward_id')),
    sa.PrimaryKeyConstraint('shop_id', 'key', name=op.f('pk_discounts'))
    )
    op.create_index('ix_discounts_reward', 'discounts', ['shop_id', 'reward_id', 'month'], unique=False)
    op.create_table('redemptions',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('redemption_id', sa.String(), nullable=False),
    sa.Column('key_hash', sa.String(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('reward_id', sa.String(), nullable=False),
    sa.Column('slot', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=True),
    sa.Column('version', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Enum('reserved', 'issued', 'used', 'releasing', 'released', name='redemption_state', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('code', sa.String(), nullable=True),
    sa.Column('card_code', sa.LargeBinary(), nullable=True),
    sa.Column('discount_key', sa.String(), nullable=True),
    sa.Column('counted', sa.JSON(), nullable=False),
    sa.Column('reserved_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('shopify_gid', sa.String(), nullable=True),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('releasing_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('code_gone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('swept_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('order_id', sa.BigInteger(), nullable=True),
    sa.Column('by_other', sa.Boolean(), nullable=False),
    sa.Column('after_all', sa.Boolean(), nullable=False),
    sa.Column('given_back', sa.BigInteger(), nullable=False),
    sa.Column('cost_minor', sa.BigInteger(), nullable=True),
    sa.Column('events', sa.BigInteger(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.Column('reissue', sa.Boolean(), nullable=False),
    sa.Column('staff_back', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['shop_id', 'member_id'], ['members.shop_id', 'members.member_id'], name=op.f('fk_redemptions_shop_id_member_id')),
    sa.ForeignKeyConstraint(['shop_id', 'reward_id'], ['reward_terms.shop_id', 'reward_terms.reward_id'], name=op.f('fk_redemptions_shop_id_reward_id')),
    sa.PrimaryKeyConstraint('shop_id', 'redemption_id', name=op.f('pk_redemptions')),
    sa.UniqueConstraint('shop_id', 'key_hash', name=op.f('uq_redemptions_shop_id_key_hash'))
    )
    op.create_index('ix_redemptions_code', 'redemptions', ['shop_id', 'code'], unique=False)
    op.create_index('ix_redemptions_member', 'redemptions', ['shop_id', 'member_id', 'reserved_at'], unique=False)
    op.create_index('ix_redemptions_expiring', 'redemptions', ['shop_id', 'expires_at'], unique=False, postgresql_where=sa.text("state = 'issued'"), sqlite_where=sa.text("state = 'issued'"))
    op.create_index('ix_redemptions_gid', 'redemptions', ['shop_id', 'shopify_gid'], unique=False, postgresql_where=sa.text("shopify_gid IS NOT NULL"), sqlite_where=sa.text("shopify_gid IS NOT NULL"))
    op.create_index('ix_redemptions_held', 'redemptions', ['shop_id', 'state', 'reserved_at'], unique=False, postgresql_where=sa.text("state IN ('reserved', 'releasing')"), sqlite_where=sa.text("state IN ('reserved', 'releasing')"))
    op.create_index('ix_redemptions_order', 'redemptions', ['shop_id', 'order_id'], unique=False)
    op.create_index('ix_redemptions_slot', 'redemptions', ['shop_id', 'slot', 'reserved_at'], unique=False)
    op.create_table('code_uses',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('redemption_id', sa.String(), nullable=False),
    sa.Column('order_id', sa.BigInteger(), nullable=False),
    sa.Column('ordered_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['shop_id', 'redemption_id'], ['redemptions.shop_id', 'redemptions.redemption_id'], name=op.f('fk_code_uses_shop_id_redemption_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('shop_id', 'redemption_id', 'order_id', name=op.f('pk_code_uses'))
    )
    op.create_table('codes',
    sa.Column('shop_id', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('discount_key', sa.String(), nullable=False),
    sa.Column('state', sa.Enum('chosen', 'free', 'taken', 'retired', 'gone', name='code_state', native_enum=False, create_constraint=True, length=16), nullable=False),
    sa.Column('gid', sa.String(), nullable=True),
    sa.Column('redemption_id', sa.String(), nullable=True),
    sa.Column('chosen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('look_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['shop_id', 'discount_key'], ['discounts.shop_id', 'discounts.key'], name=op.f('fk_codes_shop_id_discount_key')),
    sa.PrimaryKeyConstraint('shop_id', 'code', name=op.f('pk_codes'))
    )
    op.create_index('ix_codes_free', 'codes', ['shop_id', 'discount_key', 'chosen_at'], unique=False, postgresql_where=sa.text("state = 'free'"), sqlite_where=sa.text("state = 'free'"))
    op.create_index('ix_codes_open', 'codes', ['shop_id', 'discount_key'], unique=False, postgresql_where=sa.text("state IN ('chosen', 'retired')"), sqlite_where=sa.text("state IN ('chosen', 'retired')"))

    with op.batch_alter_table('shops', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pools_day', sa.String(), nullable=False, server_default=''))
    op.add_column('jobs', sa.Column('again_at', sa.DateTime(timezone=True), nullable=True))
    allow(KINDS + NEW_KINDS, ACCOUNTS + NEW_ACCOUNTS)



def downgrade():
    """Not with redemptions in the books: entries are never changed, and the older program does not know these."""
    held = op.get_bind().execute(sa.text("SELECT count(*) FROM entries WHERE kind IN :kinds").bindparams(
        sa.bindparam('kinds', NEW_KINDS, expanding=True))).scalar()
    if held:
        raise RuntimeError(f"{held} entries are of rewards; the books cannot go back behind them")
    allow(KINDS, ACCOUNTS)
    op.drop_column('jobs', 'again_at')
    with op.batch_alter_table('shops', schema=None) as batch_op:
        batch_op.drop_column('pools_day')
    op.drop_index('ix_codes_open', table_name='codes', postgresql_where=sa.text("state IN ('chosen', 'retired')"), sqlite_where=sa.text("state IN ('chosen', 'retired')"))
    op.drop_index('ix_codes_free', table_name='codes', postgresql_where=sa.text("state = 'free'"), sqlite_where=sa.text("state = 'free'"))
    op.drop_table('codes')
    op.drop_table('code_uses')
    op.drop_index('ix_redemptions_slot', table_name='redemptions')
    op.drop_index('ix_redemptions_order', table_name='redemptions')
    op.drop_index('ix_redemptions_held', table_name='redemptions', postgresql_where=sa.text("state IN ('reserved', 'releasing')"), sqlite_where=sa.text("state IN ('reserved', 'releasing')"))
    op.drop_index('ix_redemptions_gid', table_name='redemptions', postgresql_where=sa.text("shopify_gid IS NOT NULL"), sqlite_where=sa.text("shopify_gid IS NOT NULL"))
    op.drop_index('ix_redemptions_expiring', table_name='redemptions', postgresql_where=sa.text("state = 'issued'"), sqlite_where=sa.text("state = 'issued'"))
    op.drop_index('ix_redemptions_member', table_name='redemptions')
    op.drop_index('ix_redemptions_code', table_name='redemptions')
    op.drop_table('redemptions')
    op.drop_index('ix_discounts_reward', table_name='discounts')
    op.drop_table('discounts')
    op.drop_table('reward_uses')
    op.drop_index('ix_reward_terms_slot', table_name='reward_terms')
    op.drop_table('reward_terms')
    op.drop_table('failed_tries')
