-- The policy that holds for the update under way, instead of the stack's own.
ALTER TABLE cloudformation_stack ADD COLUMN policy_now TEXT;
